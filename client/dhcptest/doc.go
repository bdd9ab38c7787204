// Package dhcptest has a DHCPv4 server for tests, as net/http/httptest has one
// for HTTP. It answers as RFC 2131 says; and where a test says so, late, twice,
// wrongly, damaged or never. It is not a server for a network with people on
// it: it forgets everything when it ends.
//
// # In memory
//
// A [Wire] is a link with servers and clients on it. Its connections satisfy
// the port Conn of package client, and block on channels only, so that a test
// in a bubble of testing/synctest lives through days in no time:
//
//	srv := dhcptest.New(t, dhcptest.Config{})
//	wire := dhcptest.NewWire(srv)
//	defer wire.Close()
//	conn := wire.Conn(dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1})
//
// # On a real link
//
// [Server.Listen] joins a server to an interface, for real clients. Do this in
// a network namespace (package nettest makes them) or on a link of your own. A
// [Squatter] is a host that uses addresses nobody gave it.
//
//	l, err := srv.Listen("eth0")
//	defer l.Close()
//	squatter, err := dhcptest.Squat("eth0", dhcptest.SquatterConfig{Addrs: addrs})
//
// # Rules
//
// Without rules a server is a good one: its [Config] says what it gives, and
// RFC 2131 how. Rules stand between the requests and the protocol, as
// middleware does in HTTP. They read as sentences:
//
//	srv.On(dhcp4.Discover, dhcptest.First(2, dhcptest.Ignore))           // deaf to the first two
//	srv.On(dhcp4.Discover, dhcptest.Delay(3*time.Second), dhcptest.Twice) // slow, and doubled
//	srv.On(dhcp4.Request, dhcptest.NAK("wrong network"))                 // never content
//	srv.On(dhcp4.Request, dhcptest.InTurn(dhcptest.Ignore, dhcptest.NAK("no"), dhcptest.Pass))
//	srv.On(dhcp4.Request, dhcptest.Put(dhcp4.LeaseTime, 0))              // nonsense
//	srv.Always(dhcptest.BadUDPChecksum)                                  // damaged
//	srv.Reset()                                                          // good again
//
// Each rule is a function that makes a [Handler] of a Handler. When a test
// needs what is not here, it writes its own, or uses [Mutate] for messages,
// [Payload] and [Raw] for bytes, [Answer] for all of it:
//
//	srv.On(dhcp4.Request, dhcptest.Mutate(func(m *dhcp4.Message) { m.SIAddr = other }))
//
// Rules change what a server says and not what it believes: its book of leases
// holds what it meant to grant.
//
// # What happened
//
// Everything that came and went is in [Server.Log]; [Server.WaitFor] waits for
// it instead of sleeping:
//
//	e, err := srv.WaitFor(ctx, dhcptest.Received(dhcp4.Decline))
//
// [Server.Leases] and [Server.Declined] show the server's book.
//
// # The way of a datagram
//
// A frame is checked as a careful host does (lengths, both checksums), parsed,
// logged, and given to the rules and to the protocol, which only decide:
// [Server.Handle] is that part alone, for tests without any link. The replies
// are encoded, edited, and handed to the wire or to a packet socket, each in
// its time.
//
// # Where it departs from RFC 2131
//
// A renewed lease always gets its full time, also by a DHCPDISCOVER (section
// 4.3.1 would offer what is left). Replies are not cut to option 57. A relay is
// served only if its giaddr lies in the server's one network.
package dhcptest
