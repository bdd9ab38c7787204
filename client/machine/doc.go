// Package machine is RFC 2131, figure 5: the states of a DHCPv4 client, as a
// pure machine. It opens no socket, reads no clock and starts no goroutine. It
// is told what happened and when, and answers what is to be done:
//
//	outputs := m.Step(now, machine.Received{Message: msg})
//
// and when it wants to be called again by itself:
//
//	timer.Reset(m.Deadline().Sub(now))
//
// The figure, with our own CHECKING and APPLYING between the DHCPACK and BOUND
// (RFC 2131 asks for the check in section 4.4.1 but draws no state for it):
//
//	          ┌──────────────── INIT-REBOOT ──► REBOOTING ───┐
//	          │  remembered                       │ no answer │ DHCPACK
//	IDLE ─────┤                    DHCPNAK, ◄─────┘           │
//	          │                    or silence                 ▼
//	          └─► INIT ──► SELECTING ──► REQUESTING ─────► CHECKING ──► APPLYING
//	               ▲  ▲     DHCPDISCOVER  DHCPREQUEST          │           │
//	               │  └──────────────── DHCPDECLINE, 10 s ─────┘           ▼
//	               │                                                     BOUND ◄──┐
//	               │                                              T1       │      │
//	               ├──────────────── DHCPNAK ────────────────── RENEWING ◄─┘      │
//	               │                                              │ T2    DHCPACK │
//	               └──────────── DHCPNAK, expiry ────────────── REBINDING ────────┘
//
// # The contract of Step
//
//   - Instants do not go backwards. They come from a clock that counts while the
//     host sleeps.
//   - Outputs are carried out in the order given. A [Probe] and an [Apply] are
//     answered, later, by a [Probed] and an [Applied]; nothing else is.
//   - Between Apply and Withdraw the host holds the lease. It does so exactly in
//     BOUND, RENEWING and REBINDING, and in the states that verify a lease which
//     was held before. Fuzzing holds the machine to this.
//   - The same inputs at the same instants give the same outputs, for one seed.
//   - Every message is checked once, in refuse; what fails is a [Drop] with a
//     [Reason] and changes nothing.
//
// # Where to change what
//
// What a state does is in the file of its part of the figure: acquire.go (INIT,
// SELECTING, REQUESTING), weigh.go (which offer wins), reboot.go, check.go,
// hold.go (BOUND, RENEWING, REBINDING), inform.go, end.go, link.go. Which field
// goes into which message is in compose.go, every wait in retry.go, and which
// message is believed in accept.go. Then tell the story in testdata.
package machine
