// Package hook runs programs when something happens to a link.
//
//	event ──Runner──► queue of the link ──► /etc/lessee/hooks.d/10-a, 20-b, …
//	                                        (JSON on standard input)
//	lease ──Script──► /sbin/dhclient-script or /etc/udhcpc/default.script
//	                                        (the environment that it expects)
//
// A [Runner] hands an [Event] to all programs of a folder, one after the other.
// A [Script] is something else: in place of package netconf it makes the host
// hold what a lease says, by a script that was made for another client. Neither
// knows package client: who joins them says what is an event.
//
//	r := hook.NewRunner(log, nil)
//	at := hook.Place{Dir: "/etc/lessee/hooks.d", Limit: 30 * time.Second}
//	r.Tell(at, &hook.Event{Name: hook.Bound, Time: time.Now(), Interface: "eth0", Lease: &l})
//	err := r.Close(time.Minute) // waits
//
// # What is run
//
// A program is run if its name is one that run-parts(8) takes (letters, digits,
// hyphens, underscores), if it is an executable regular file that belongs to root
// or to the user that we run as, and if neither it nor its folder is writable by
// anybody else. What is not run is told once. There is no shell in between. The
// order is that of the names, byte by byte.
//
// # What it gets
//
// On standard input one JSON document, which is an [Event]; testdata has a
// sample of each. Its environment holds PATH, LANG=C.UTF-8, and what is needed
// most under names that begin with LESSEE_; nothing is inherited. Every value in
// it is made of letters, digits, spaces and a few signs that mean nothing to a
// shell; what a server sent that is not is left out. The JSON has it all,
// escaped. It runs in the link's network namespace, in the folder /, in a
// session and a process group of its own.
//
// # How long
//
// A run is over when the program has ended and nobody has its output open any
// more. What takes longer than the limit is ended: SIGTERM, then SIGKILL, for
// the process group and for whoever else has the output open. What a program
// leaves behind that does not hold its output is left alone.
//
// Output goes to the log line by line, without control bytes, and only so much
// of it; an exit status other than 0 is a warning, and nothing else.
//
// # In which order
//
// The events of a link wait for one another, those of several links do not. The
// one who tells never waits. Of more than 16 that wait the oldest is dropped, and
// the next event says how many were.
package hook
