package dhcp4

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

var addr = &form[netip.Addr]{
	parse: func(b []byte) (netip.Addr, string) {
		if len(b) != 4 {
			return netip.Addr{}, wantBytes(b, 4)
		}
		return netip.AddrFrom4([4]byte(b)), ""
	},
	write:   writeAddr,
	show:    netip.Addr.String,
	scan:    scanAddr,
	example: "192.0.2.1",
}

func writeAddr(b []byte, a netip.Addr) ([]byte, string) {
	if !a.Is4() {
		return b, fmt.Sprintf("%v is not an IPv4 address", a)
	}
	v := a.As4()
	return append(b, v[:]...), ""
}

func scanAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err == nil && !a.Is4() {
		err = fmt.Errorf("%v is not an IPv4 address", a)
	}
	return a, err
}

// addrs is one address or more.
var addrs = addrList(1)

// addrsOrNone may be empty (option 68).
var addrsOrNone = addrList(0)

func addrList(least int) *form[[]netip.Addr] {
	return &form[[]netip.Addr]{
		parse: func(b []byte) ([]netip.Addr, string) {
			if len(b)%4 != 0 || len(b) < 4*least {
				return nil, wantMultiple(b, 4)
			}
			out := make([]netip.Addr, len(b)/4)
			for i := range out {
				out[i] = netip.AddrFrom4([4]byte(b[4*i : 4*i+4]))
			}
			return out, ""
		},
		write: func(b []byte, v []netip.Addr) ([]byte, string) {
			return writeEach(b, v, writeAddr)
		},
		show:    func(v []netip.Addr) string { return join(v) },
		scan:    func(s string) ([]netip.Addr, error) { return scanEach(s, scanAddr) },
		example: "192.0.2.1,192.0.2.2",
	}
}

// mask is the length of a subnet mask; one with holes is malformed, and so is
// 0.0.0.0, with which every host would be a neighbour.
var mask = &form[int]{
	parse: func(b []byte) (int, string) {
		if len(b) != 4 {
			return 0, wantBytes(b, 4)
		}
		m := binary.BigEndian.Uint32(b)
		n := bits.LeadingZeros32(^m)
		if n == 0 || n+bits.TrailingZeros32(m) < 32 {
			return 0, fmt.Sprintf("%v is no mask of leading ones", netip.AddrFrom4([4]byte(b)))
		}
		return n, ""
	},
	write: func(b []byte, n int) ([]byte, string) {
		if n < 1 || n > 32 {
			return b, fmt.Sprintf("a mask of %d bits", n)
		}
		return binary.BigEndian.AppendUint32(b, ^uint32(0)<<(32-n)), ""
	},
	show: func(n int) string {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-n)))).String()
	},
	scan: func(s string) (int, error) {
		if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
			b := a.As4()
			n := bits.LeadingZeros32(^binary.BigEndian.Uint32(b[:]))
			if n+bits.TrailingZeros32(binary.BigEndian.Uint32(b[:])) >= 32 {
				return n, nil
			}
		}
		return strconv.Atoi(strings.TrimPrefix(s, "/"))
	},
	example: "255.255.255.0",
}

// addrPair is what option 21 lists: an address and a mask.
var addrPairs = &form[[]netip.Addr]{
	parse: func(b []byte) ([]netip.Addr, string) {
		if len(b) == 0 || len(b)%8 != 0 {
			return nil, wantMultiple(b, 8)
		}
		return addrs.parse(b)
	},
	write: addrs.write, show: addrs.show, scan: addrs.scan,
	example: "192.0.2.0,255.255.255.0",
}
