// Package supervise is how the agent gets on with systemd: it tells the service
// manager what state it is in (sd_notify(3)), and gives journald its log with
// the fields kept apart (systemd.io/JOURNAL_NATIVE_PROTOCOL). It neither forks
// nor writes pid files; init systems that know nothing of this need nothing
// more than a process in the foreground.
//
//	m, err := supervise.FromEnv()  // a Manager that says nothing if nobody listens
//	...
//	log := slog.New(supervise.NewJournalHandler(supervise.JournalSocket, slog.LevelInfo))
//	...
//	go m.Watchdog(ctx, everyLoopIsTurning)
//	m.Ready("eth0 192.0.2.140/24")
//	m.Status("eth0 192.0.2.140/24, eth1 waits for a server")
//	m.Reloading()                  // on SIGHUP, then Ready again
//	m.Stopping("")
//
// # The way of a word
//
// Both are datagrams to a socket in the file system, and both go through send
// (datagram.go), which waits a moment for a reader that is behind, and no
// longer: links must be kept also where the journal hangs.
//
//	Manager (manager.go)         READY=1, STATUS=..., WATCHDOG=1
//	  │                            ╲
//	  │                             send ──► $NOTIFY_SOCKET
//	JournalHandler (journal.go)     send ──► /run/systemd/journal/socket
//	  └─ entry (entry.go)          ╱
//	     MESSAGE=..., PRIORITY=..., LESSEE_LINK=...
//
// What servers write into options comes by here, in statuses and in logs. A
// newline in it would begin a new assignment: a STATUS loses its control
// characters, and journal fields that have some are framed by their length.
package supervise
