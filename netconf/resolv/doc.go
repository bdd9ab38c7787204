// Package resolv hands the name servers of leases to whatever resolves names
// on this host. A [Backend] is one way to do that; [Setup] chooses among them.
//
//	[Resolved]    systemd-resolved, by D-Bus
//	[Resolvconf]  the program of that name: openresolv, or Debian's
//	[File]        resolv.conf itself, all links in one text
//	[None]        names are left alone
//
// It answers no queries, and asks none; and it reads no lease: a [Config] is
// what package netconf made of one.
//
//	b, why := resolv.Setup{Resolver: "auto", Path: "/etc/resolv.conf", StateDir: "/var/lib/lessee", RunDir: "/run/lessee"}.Choose("eth0")
//	err := b.Set("eth0", config)   // and again with each renewal
//	err = b.Unset("eth0")
//
// # Dying at any instruction
//
// What stood there before is noted down before anything is touched, and so is
// all that we are about to put there. A process may die at any instruction: the
// next one compares what it finds with what is noted, and finishes what was
// begun, or undoes it.
//
//	noted: before, ours ──► there: ours ──► … ──► noted: no links ──► there: before ──► nothing noted
//
// What a File wrote outlives a boot, and so does its note, in the state
// directory. The others forget when the host goes down; their notes are in the
// run directory and name the boot. Each resolver has a note of its own, so that
// whoever comes next, told to use another one, finds what to undo, and where
// ([Setup.All]).
//
// # What comes back
//
// All that was there: kind, text, owner, mode, security label and access list, but
// not the date. Programs read a resolv.conf anew when that changes.
//
// # Several links
//
// The link with the lowest metric comes first, as it does for routes. In a
// resolv.conf its servers and domains stand first, and openresolv is told the
// metric. To systemd-resolved each link has servers and domains of its own; the
// first link answers for all names, the others for their own domains only.
// Debian's resolvconf has an order of its own (interface-order).
package resolv
