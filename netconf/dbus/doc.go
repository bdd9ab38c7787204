// Package dbus calls methods of services on the system bus, such as those of
// systemd-resolved: the few pages of the D-Bus specification that takes, and
// nothing of signals, objects of one's own, file descriptors, or TCP.
//
// A [Conn] is one conversation: opened for a handful of calls, closed after
// them, and over at its deadline whatever the other side does. It has no
// goroutine, and nothing of it stays in memory. (General libraries have both,
// and take more room in the binary than all of package netconf.)
//
//	Open ──► AUTH EXTERNAL, Hello ──► Call ──► … ──► Close
//	            text lines              marshal ──► socket ──► parse
//
//	c, err := dbus.Open(dbus.SystemBus(), time.Now().Add(3*time.Second))
//	defer c.Close()
//	out, err := c.Call(dbus.Method{
//		Dest: "org.freedesktop.resolve1", Path: "/org/freedesktop/resolve1",
//		Interface: "org.freedesktop.resolve1.Manager", Name: "GetLink",
//	}, "i", int32(2))
//
// # Values
//
// What goes over the bus has a signature, and these Go types. Those in the
// second row are only read.
//
//	y byte   b bool    q uint16  i int32      u uint32
//	n int16            x int64   t uint64     d float64
//	s string  o Path   g Signature            v Variant
//	ay []byte          a… []any               (…) and {…} []any
package dbus
