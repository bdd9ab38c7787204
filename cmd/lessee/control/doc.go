// Package control lets people and programs see and steer the agent, by Varlink
// (https://varlink.org): messages of JSON, each with a NUL at its end, on a
// unix stream socket. What may be called is told by agent.varlink, and by the
// socket itself to whoever asks it.
//
// It knows nothing of how links are kept; it calls an [Agent], and no peer can
// make the agent wait, whatever it sends, leaves out or does not read.
//
// # The way of a request
//
//	socket (listen.go)     0660; who can connect may read
//	  │
//	Serve (serve.go)       one loop that takes in or turns away (door.go), by
//	  │                    the kernel's word on who the peer is (peer.go)
//	  ▼
//	conn (conn.go)         a goroutine a connection: one request after the
//	  │    ▲               other, with a limit on everything
//	  │    │ reader, call  two that block beside it
//	  ▼    │
//	inbox (inbox.go)       bytes ─► messages
//	  │
//	varlink.Service        message ─► method
//	  │
//	dispatch (dispatch.go) may this peer? (permit.go)
//	  ▼
//	methods (methods.go, monitor.go) ─► Agent
//
// The accept loop and the connection are our own, because the library's read
// without bounds, wait for ever, and do not tell who the peer is.
//
// # Limits
//
//	message                64 KiB
//	connections            64, of one user 16; more are closed at once
//	idle                   30 s, unless a call is under way
//	half a message         5 s to be complete
//	a reply                5 s to be taken
//	requests that wait     64 KiB, behind a call under way, for 5 s
//	events that wait       256
//
// Whoever breaks one is cut off, counted and, once a minute at most for each
// [Reason], logged.
//
// # From the other side
//
//	c, err := control.Dial("/run/lessee/agent.socket")
//	...
//	defer c.Close()
//	status, err := c.Do(ctx, "eth0", control.Renew)
//	if errors.Is(err, control.ErrNoSuchLink) {
//		...
//	}
//	for event, err := range c.Monitor(ctx, "") {
//		...
//	}
package control
