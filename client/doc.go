// Package client gets a DHCPv4 lease for one link and keeps it.
//
// A [Client] is a loop around the pure machine of package machine: it feeds it
// with what happens (messages, verdicts of conflict checks, answers of the
// host, the carrier, time) and does what it says. What touches the world is
// behind ports: a [Conn] carries messages, a [Prober] checks addresses, a
// [Configurator] configures the host, a [Store] remembers. Packages socket,
// arpcheck, netconf and store fit them; tests bring others, and so may you.
//
//	c, err := client.New(client.Config{Conn: conn, Machine: machine.Config{…}})
//	lease, err := c.Acquire(ctx, client.Remembered{})
//
// # The path of a datagram
//
//	frame ──socket──► token in Conn.Arrived ──► loop ──Conn.Take──► Message ──Step──► outputs ──► Send, Probe, Apply, …
//
// The loop is one goroutine, and between events there is no other: what waits
// for packets are channels, so that a program may keep hundreds of links.
// Everything that may block runs beside the loop and posts its result as an
// input. Changes to the host are made one after the other, in the order in
// which the machine wants them, because an Apply must not overtake a Withdraw.
// A message that could not be sent is a lost message: the next try is due
// anyway.
//
// # One errand or a life
//
// [Client.Run] keeps a link configured until its context ends; [Client.Do] gives
// it commands meanwhile, and [Client.Status] tells how it is. [Client.Acquire],
// Discover, Inform, Renew, Rebind and Release each do one errand and return.
// However one of them ends, what was half done is undone, and a lease that
// nobody will use is given back.
//
// # Where to change what
//
// What the protocol says is in package machine, what it is made of in lease and
// dhcp4. Here, loop.go is the loop and its end, execute.go does each thing that
// the machine wants, report.go tells logs and listeners, command.go is Do and
// Status, ports.go the ports, and guard.go what becomes of a panic.
package client
