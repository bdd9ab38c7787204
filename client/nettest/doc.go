// Package nettest makes small networks out of network namespaces: hosts, the
// cables and bridges between them, and ears on them. Tests run on it, and so
// does lessee demo. Nothing it makes is visible to the machine that it runs
// on, and closing a [World] takes it all away.
//
//	w, err := nettest.NewWorld()
//	defer w.Close()
//	server, err := w.Host("server")
//	client, err := w.Host("client")
//	err = w.Connect(server, "eth0", client, "eth0")
//	err = server.AddAddr("eth0", netip.MustParsePrefix("192.0.2.1/24"))
//	err = client.Do(func() error { … })       // sockets opened here are the client's
//	cmd := exec.Command("udhcpc", "-i", "eth0")
//	err = client.Start(cmd)
//
// A namespace belongs to a thread. Every host has a thread of its own, and Do
// and Start run there; goroutines that they start do not.
//
// Making namespaces needs CAP_SYS_ADMIN. An ordinary user gets it in a user
// namespace: [Main] runs a test binary in one, and [Reexec] any program. Both
// also take a mount namespace, so that files can be put in place of the
// machine's own.
//
// In tests, [New] makes a network whose methods end the test when they fail.
package nettest
