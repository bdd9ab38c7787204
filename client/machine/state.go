package machine

// A State is a state of RFC 2131, figure 5, or one of our own three.
type State uint8

// The states. The zero State is none of them.
const (
	_ State = iota

	// Idle is ours: nothing is under way and nothing is sent, before the
	// first command and after the last.
	Idle

	// Init waits until a DHCPDISCOVER may be sent: the random delay at
	// the start, the rest after a DHCPDECLINE, the pause after a DHCPNAK,
	// or a link without carrier.
	Init

	Selecting  // DHCPDISCOVER sent, collecting offers
	Requesting // DHCPREQUEST for a chosen offer sent

	// InitReboot waits until the DHCPREQUEST that confirms a remembered
	// lease may be sent; Rebooting waits for its answer.
	InitReboot
	Rebooting

	// Checking is ours: between the DHCPACK and BOUND the address is
	// probed for a conflict (RFC 2131, section 4.4.1; RFC 5227).
	Checking

	// Applying is ours: the address is free, the host is being
	// configured.
	Applying

	Bound
	Renewing
	Rebinding

	// Informing waits for the answer to a DHCPINFORM.
	Informing
)

var stateNames = [...]string{
	Idle: "IDLE", Init: "INIT", Selecting: "SELECTING", Requesting: "REQUESTING",
	InitReboot: "INIT-REBOOT", Rebooting: "REBOOTING", Checking: "CHECKING", Applying: "APPLYING",
	Bound: "BOUND", Renewing: "RENEWING", Rebinding: "REBINDING", Informing: "INFORMING",
}

// String returns the name that RFC 2131 uses, such as "INIT-REBOOT".
func (s State) String() string {
	if int(s) < len(stateNames) && stateNames[s] != "" {
		return stateNames[s]
	}
	return "INVALID"
}

// Holds reports whether in s a lease is in use on the host.
func (s State) Holds() bool { return s == Bound || s == Renewing || s == Rebinding }
