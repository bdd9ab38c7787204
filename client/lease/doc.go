// Package lease holds what a DHCP server granted: the address, until when, and
// the configuration that came with it. It is values and functions: it reads no
// clock and does no I/O.
//
//	DHCPACK, when its request was sent ──FromACK──► Lease ──Policy.Use──► Lease as it is used
//	                                                  │
//	                                                  └──► JSON: on disk, to hooks, to users
//
// The machine and the store know the lease as it was granted, so that another
// policy needs no packet. What is wrong with an option is no reason to refuse an
// address: it counts as not sent, and a note tells.
//
// # Where to change what
//
// To put one more option to use, add a field to Lease, with its JSON name
// (lease.go), and a line to configure (from.go); services.go has those that
// need more than that. Which addresses and masks no host can use is in
// usable.go, and which options an operator may override, and how, in
// override.go.
package lease
