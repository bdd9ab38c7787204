// Command lessee gets a DHCPv4 lease for a link of this host, proves that the
// address is free, and configures the link. See `lessee help`.
//
// Here the parts are joined that know nothing of one another: client, socket,
// arpcheck, netconf, store. What goes on is decided there; here is what was
// asked for, what is open for it, and how it is told.
//
// # The way of a command
//
//	words ──► command.go    which command it is, of those in app.go
//	            │           args.go: its flags and arguments
//	            ▼
//	          settings.go   flags, and what the file has for the link: package config
//	            │           through.go: is the agent asked to do it?
//	            ▼
//	          wire.go       an errand: what is open while a command works on a link
//	            │
//	          devices.go    socket, checker, host, store of one link; closed together
//	            ▼
//	          client.Client
//	            ▼
//	          document.go   what came of it, as JSON, for people (text.go) or for a
//	                        shell (env.go); exit.go
//
// The agent, "lessee run", is run.go: a service that has an agent.Agent. To that,
// keep.go is the plan, which opens the same devices for each link.
//
// # Where to change what
//
//	a command              the file of its name; extend.go (renew, rebind), tell.go
//	                       (reacquire, pause, resume, reload), dryrun.go, and boot*.go
//	                       for acquire --boot
//	flags, help            flags.go, help.go, layout.go; a setting: package config
//	what is open           host.go (netconf or a script), lock.go (one process a link),
//	                       seed.go, capable.go, handover.go (from boot to agent),
//	                       stubborn.go (a disk that is full)
//	the agent              sight.go (links that come and go), steer.go (the control
//	                       socket), ready.go (systemd), memory.go; package agent
//	what options become    override.go
//	what a lease was got   former.go, and remember.go of package config
//	with
//	what people see        trace.go, progress.go, pcap.go, explain.go; package view
//	what hooks are told    tale.go decides what, hooks.go to whom
//	asking the agent       ask.go, status.go, watch.go, wait.go
package main
