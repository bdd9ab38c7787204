// Package agent keeps many links configured in one process, from boot to
// shutdown. It knows neither sockets nor netlink nor files: which links there
// are it is told, and what keeps one it gets from a [Plan]. So it lives in
// virtual time in tests, with a network in memory.
//
//	Sighting ──► Agent ──starts──► keeper ──Open──► Parts ──► client.Client
//	(netconf)    one loop,         one a link,               one goroutine and
//	             never blocks      restarts it               what runs beside it
//	                                  │ events
//	                                  ▼
//	                               book ──► Status, Events, subscribers
//
// # Links apart from one another
//
// Each link has a keeper: a goroutine that opens what the link needs, runs a
// client until it ends, and begins anew after a pause that grows with each
// failure. A panic in a client ends that client alone. The agent's loop only
// hands on what it is told and never waits for a keeper, so that a link which
// is slow to stop delays no other.
//
// # Names
//
// A link is "eth0", or "eth0@blue" in the network namespace blue. A keeper
// belongs to a link's index, not to its name: a link that was deleted and made
// anew is another link. When a link is renamed or gets another hardware
// address, its keeper is stopped with everything left configured, and another
// one takes over what it finds.
//
// # Where to change what
//
// What users may ask of a link is in command.go; what they are told, in
// status.go and book.go; how often a link that fails is begun anew, in keeper.go;
// what each life of a client begins and ends with, in life.go; what a reload does,
// in agent.go.
package agent
