package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// parseListen reads where to listen: ADDRESS:PORT, [ADDRESS]:PORT, or a port
// alone. Names of links and servers are nobody's business by default, so
// without an address it is loopback, unlike in many programs: to be heard from
// outside, write 0.0.0.0 or [::].
func parseListen(text string) (netip.AddrPort, error) {
	host, port, found := cutLast(text, ':')
	if !found {
		host, port = "", text
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	a, err := listenAddress(host, port)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("want an address and a port: %w", err)
	}
	return a, nil
}

func listenAddress(host, port string) (netip.AddrPort, error) {
	inner, bracketed := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	addr, err := netip.ParseAddr(inner)
	switch {
	case bracketed != closed:
		return netip.AddrPort{}, errors.New("half a pair of brackets")
	case err != nil:
		return netip.AddrPort{}, errors.New("no IP address; names are not looked up")
	case addr.Is6() != bracketed: // or the end of an address is taken for a port
		return netip.AddrPort{}, errors.New("brackets belong around IPv6 addresses, and only there")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return netip.AddrPort{}, errors.New("no port from 1 to 65535")
	}
	return netip.AddrPortFrom(addr, uint16(n)), nil
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
