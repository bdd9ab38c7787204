// Package system makes a host as a whole hold what leases say of it: its
// transient name ([HostName]), its time servers ([TimeServers]), and its time
// zone ([TimeZone]). It does nothing to links, and it decides nothing about
// whom to believe: that is the operator's, and package netconf asks him.
//
//	link, lease's words ──Set──► noted: who says what, what stood before ──► host
//	link ──Unset──► the next best link's, or what stood before
//
// A host has one name and one zone, and may have many links: the link with the
// lowest metric has its way, and when it goes the next one has. The time
// servers of all links are used.
//
//	n := system.HostName{Place: system.Place{RunDir: "/run/lessee", StateDir: "/var/lib/lessee", BootID: id}}
//	err := n.Set("eth0", system.Name{Metric: 1002, Name: "box"})
//	err = n.Unset("eth0")
//
// # Whose it is
//
// What somebody has changed after us is theirs: it is left alone, and not put
// back. What is as a lease wants it without us is left alone too, and nothing is
// noted of it. Drop-ins have names of their own ("lessee-eth0"); one file has a
// name that others use as well, and that is ours only if it says so.
//
// # Dying at any instruction
//
// What is going to be changed, and what stood there, is noted down first. A
// name and drop-ins end with the boot, and so does what is noted of them, in
// the run directory; a time zone does not, and is noted in the state directory.
// Where nothing can be noted nothing is changed, for nobody could put it back.
// The next process compares the notes with the host, and finishes or undoes
// what was begun.
//
// # Trust
//
// Whatever comes in has been checked by its form: names have letters, digits,
// hyphens and underscores, servers are addresses. Beyond that [BadName],
// [BadServer] and [BadZone] tell what no host should follow. No text of a
// server's becomes part of a path before it was found, letter by letter, in the
// host's own list of zones.
package system
