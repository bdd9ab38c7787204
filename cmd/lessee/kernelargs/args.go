package kernelargs

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Args is what a command line says of the network. Its zero value is a line
// that says nothing.
type Args struct {
	// Links are what ip= asks for by DHCP, in the order in which it stands
	// there.
	Links []Link
	// Refused tells that there was an ip= that asks for no DHCP: off, an
	// address that is static, another protocol.
	Refused bool
	// Off are the links that an ip= names to have no address, or a static one.
	Off []string
	// Unclear tells that there was an ip= that makes no sense.
	Unclear bool
	// First tells that the first link that is bound is enough
	// (ip=single-dhcp).
	First bool

	// BootIF is the hardware address of the link that was booted from, in
	// small letters and with colons; "" if nothing is said.
	BootIF string
	// NoNet tells that no network is needed (rd.neednet=0).
	NoNet bool
	// NoPeerDNS tells that what servers say of names is not wanted
	// (rd.peerdns=0).
	NoPeerDNS bool
	// NameServers are used before those that a server names (nameserver=).
	NameServers []netip.Addr

	Timeout     time.Duration // of one try (rd.net.timeout.dhcp=); 0 if nothing is said
	Carrier     time.Duration // how long a carrier is waited for (rd.net.timeout.carrier=); 0 if nothing is said
	Retry       int           // how many tries (rd.net.dhcp.retry=); 0 if nothing is said
	VendorClass string        // option 60 (rd.net.dhcp.vendor-class=)

	// Notices are what is not followed.
	Notices []Notice
}

// A Link is what one ip= says of a link that is to be configured by DHCP.
type Link struct {
	Device      string       // "": any
	Addr        netip.Addr   // to wish for; the zero Addr if none
	Server      netip.Addr   // of the root file system, whatever DHCP says; the zero Addr if none
	HostName    string       // option 12; "" if none
	MTU         int          // bytes, whatever DHCP says; 0 if nothing is said
	NameServers []netip.Addr // used before those that a server names
	TimeServers []netip.Addr // so too
}

// A Notice is a word that is not followed, or not in full.
type Notice struct {
	Word   int    // its number, from 1
	Column int    // where it begins: bytes, from 1
	Text   string // the word, as it is written but for quotes
	Why    string
}

// String says which word, where it stands, and why it is not followed. It is
// printable, in one line.
func (n Notice) String() string {
	text := fmt.Sprintf("%q", n.Text)
	return fmt.Sprintf("word %d (column %d), %s: %s", n.Word, n.Column, text[1:len(text)-1], n.Why)
}

// Asked reports whether the line leaves room for DHCP at all: it says nothing
// of ip=, or asks for DHCP at least once.
func (a *Args) Asked() bool {
	return len(a.Links) > 0 || !a.Refused && !a.Unclear && !a.NoNet
}

// Wanted tells what the line says of the link of that name and hardware address
// (in small letters, with colons), and whether it is to be configured by DHCP.
// An ip= that names the link counts before one that names none; BOOTIF= chooses
// among links that are not named.
func (a *Args) Wanted(device, hardware string) (Link, bool) {
	for _, l := range a.Links {
		if l.Device == device {
			return l, true
		}
	}
	if a.BootIF != "" && a.BootIF != hardware || slices.Contains(a.Off, device) {
		return Link{}, false
	}
	for _, l := range a.Links {
		if l.Device == "" {
			return l, true
		}
	}
	return Link{}, len(a.Links) == 0 && a.Asked()
}

// Named returns the links that the line names, and wants by DHCP.
func (a *Args) Named() (devices []string) {
	for _, l := range a.Links {
		if l.Device != "" {
			devices = append(devices, l.Device)
		}
	}
	return devices
}
