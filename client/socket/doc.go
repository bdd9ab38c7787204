// Package socket carries DHCP messages on a link, by the sockets of Linux. A
// [Conn] is what package client wants of a link; this package knows headers and
// checksums, but nothing of leases.
//
//	l, err := socket.LinkByName("eth0")
//	conn, err := socket.Open(l, socket.Config{})
//	defer conn.Close()
//	err = conn.Send(ctx, discover, netip.Addr{}) // broadcast
//	offer, err := conn.Receive(ctx)
//
// # The path of a datagram in
//
//	link
//	  │ filter.go    run by the kernel: a whole UDP datagram to port 68, for us, of our VLAN
//	  ▼
//	packet socket    packet.go: recvmsg, and whether the checksum is computed yet
//	  │ ipv4.go      lengths against one another, checksums
//	  ▼
//	dhcp4.Parse      and it must be a reply
//	  │ conn.go      where it came from is remembered
//	  ▼
//	Take; Arrived tells of it, and Receive waits for it
//
// There is one such path, for the whole life of a Conn. It does not matter to
// a packet socket whether the host has an address yet, which one a message was
// sent to, or what a firewall thinks of it; and a broadcast DHCPNAK is heard
// while a lease is renewed by unicast. What fails a check is dropped, and
// [Config].Dropped told why.
//
// The filter is in place before the socket is bound, and before it is bound
// it hears nothing: nothing older is ever read.
//
// # The path of a datagram out
//
//	                     ciaddr unset           ciaddr set
//	to everybody         frame of our own       frame of our own
//	to a server          frame of our own       UDP socket; frame of our own
//	                                            if the host does not hold ciaddr
//
// The UDP socket (udp.go) leaves ARP and routing to the kernel, but is tied to
// its link. Whatever it receives is thrown away by the kernel, since the packet
// socket has heard it; it is there all the same, so that the kernel does not
// tell servers "port unreachable". A frame of our own to a server goes to the
// link-layer address from which the server was last heard, or to everybody.
//
// # What a link may do
//
// Go down and come back: nothing is to be done. Be deleted: Send fails and
// Receive waits until its context ends; package netconf tells of such events.
// Be renamed: nothing notices, everything goes by the index. Change its
// hardware address: frames carry the new one at once, but messages do not, so
// a new [Link] is wanted.
//
// # Which links
//
// Whatever Linux shows as Ethernet (wired, Wi-Fi, bridges, bonds, VLANs, veth,
// macvlan); InfiniBand (RFC 4390) and FireWire (RFC 2855), where messages carry
// no hardware address and answers come by broadcast, see [Link.CHAddr] and
// [Link.NeedsBroadcast]. On the latter two the kernel does not tell where a
// frame came from, so a frame of our own to a server goes to everybody. For the
// others [LinkByName] says why not.
//
// # What it needs
//
// CAP_NET_RAW to open. CAP_NET_BIND_SERVICE for unicasts by the kernel; without
// it they go out as frames of our own, and the host may answer the server's
// unicasts with "port unreachable" although they are heard. Memory: one buffer
// of the link's MTU each way, and queues in the kernel of 128 KiB at most.
package socket
