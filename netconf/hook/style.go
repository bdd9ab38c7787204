package hook

import "fmt"

// A Style is whose scripts configure the host. The zero Style is nobody's:
// lessee does it by itself.
type Style string

// The styles.
const (
	UDHCPC   Style = "udhcpc"   // busybox's client
	DHClient Style = "dhclient" // ISC's
)

// Script returns the path of the script that the style's own client calls if it
// is not told of another.
func (s Style) Script() string {
	switch s {
	case UDHCPC:
		return "/etc/udhcpc/default.script"
	case DHClient:
		return "/sbin/dhclient-script"
	}
	return ""
}

// A Reason is why a script is called, in dhclient's words.
type Reason string

// The reasons. The first group configures, the second one takes away, and the
// third is about nothing that is configured.
const (
	ReasonBound   Reason = "BOUND"   // a new lease
	ReasonRenew   Reason = "RENEW"   // extended by its server
	ReasonRebind  Reason = "REBIND"  // extended by any server
	ReasonReboot  Reason = "REBOOT"  // remembered, and confirmed
	ReasonTimeout Reason = "TIMEOUT" // remembered, and nobody there to confirm it

	ReasonExpire  Reason = "EXPIRE"
	ReasonRelease Reason = "RELEASE"
	ReasonStop    Reason = "STOP" // the lease is still good

	ReasonPreinit Reason = "PREINIT" // before the first message
	ReasonFail    Reason = "FAIL"    // no server answers, and no lease is left
	ReasonNAK     Reason = "NAK"     // udhcpc alone calls its script for that
)

// argument is the argument by which udhcpc tells its script the reason.
func (r Reason) argument() string {
	switch r {
	case ReasonBound, ReasonReboot, ReasonTimeout:
		return "bound"
	case ReasonRenew, ReasonRebind:
		return "renew"
	case ReasonFail:
		return "leasefail"
	case ReasonNAK:
		return "nak"
	}
	return "deconfig"
}

// configures reports whether the script is to make the host hold a lease.
func (r Reason) configures() bool {
	switch r {
	case ReasonBound, ReasonRenew, ReasonRebind, ReasonReboot, ReasonTimeout:
		return true
	}
	return false
}

// ParseStyle returns the style called name; "none" is the zero Style.
func ParseStyle(name string) (Style, error) {
	switch s := Style(name); s {
	case "none":
		return "", nil
	case UDHCPC, DHClient:
		return s, nil
	}
	return "", fmt.Errorf("unknown style %q (known: none, %s, %s)", name, UDHCPC, DHClient)
}
