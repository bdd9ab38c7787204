// Package arpcheck finds out whether an IPv4 address is free before it is used,
// tells the link that it is ours then, and guards it for as long as it is in
// use: IPv4 Address Conflict Detection, RFC 5227.
//
// It does not configure addresses, nor answer ARP requests: the kernel does the
// latter once the address is configured. It knows nothing of DHCP. A program
// that gets its addresses from somewhere else may use it just as well:
//
//	c, err := arpcheck.New(ifi, arpcheck.Config{})
//	...
//	holder, err := c.Probe(ctx, addr)  // nil, nil: free
//	...                                // configure addr
//	err = c.Announce(ctx, addr)
//	holder, err = c.Watch(ctx, addr)   // returns when addr must be given up
//
// Instead of Watch, which blocks, a program with a loop of its own uses
// [Checker.Guard], Heard and Check.
//
// # The path of a probe
//
//	prober (probe.go)      decides: pure, steps through time that it is told
//	  │ send, verdict ▲ timeout, received, lost
//	  ▼               │
//	Checker (run.go)       carries out; one loop in the caller's goroutine
//	  │               ▲
//	  ▼               │ parse: hardware type, protocol type, lengths
//	conn (conn.go)         AF_PACKET socket of mdlayher/packet
//	  │               ▲
//	  ▼               │ filter (filter.go), run by the kernel: about our
//	link                   address, of our VLAN
//
// A link may live in another network namespace: [Config] Enter brings the
// Checker there whenever it opens a socket or looks around.
//
// The filter is attached before the socket is bound, and the socket is bound
// before the first probe leaves: no answer is missed and nothing old is read.
// The socket stays open from Probe to Guard, so an answer that comes too late
// for the one is there for the other.
//
// # Times
//
//	name               RFC 5227   fast      off      section
//	PROBE_WAIT         0-1 s      0         -        2.1.1
//	PROBE_NUM          3          3         0        2.1.1
//	PROBE_MIN, _MAX    1-2 s      40-60 ms  -        2.1.1
//	ANNOUNCE_WAIT      2 s        *         -        2.1.1
//	ANNOUNCE_NUM       2          2         2        2.3
//	ANNOUNCE_INTERVAL  2 s        200 ms    200 ms   2.3
//	DEFEND_INTERVAL    10 s       10 s      10 s     2.4
//
// (*) In mode fast the verdict falls 200 ms after the first probe. [Timing]
// holds these numbers for programs that want others. MAX_CONFLICTS and
// RATE_LIMIT_INTERVAL are for whoever chooses the next address to try.
//
// # Why there is a fast mode, and what it gives up
//
// RFC 5227 takes 4 to 7 s for each address, and forbids shorter times. That is
// the price of links on which a host may need a second to answer. On the links
// of today it does so within a few milliseconds, and nobody waits for seconds
// with every boot: programs that have only the long check are run without it.
// A check of 200 ms that is done finds more than one of 7 s that is not.
//
// What it misses at first is a holder that takes longer: a host that wakes from
// sleep to answer, a slow radio link, a switch port that does not forward yet
// (spanning tree may need 30 s, so RFC 5227's times do not help there either).
// Nor does it see another host that probes for the same address by RFC 5227's
// times but does not speak within the 200 ms; that one hears our announcement
// instead, and gives way. The slow holder's late answers are not lost: the
// guard hears them, defends once, and gives in to the second.
//
// # What is not a conflict
//
// Packets from this host itself, whatever interface they left by, and packets
// that a device made up of ours. Besides, while the address is in use, probes
// for it: some switches ask that way, with sender 0.0.0.0, whether a device is
// still there. And answers to our own announcements: proxies take those for
// questions (Linux's does, though it leaves probes alone). While probing, a
// probe that was sent to this host alone, or that comes from no address at all,
// is such a switch's too; real ones are broadcast.
package arpcheck
