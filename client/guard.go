package client

import (
	"fmt"
	"runtime/debug"
)

// A PanicError says that a client ended because something in it, or in one of
// its ports, panicked. It ends this client and not the program, which may keep
// other links.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine that panicked
}

// Error gives the value that was panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// spawn runs job beside the loop.
func (c *Client) spawn(job func()) {
	c.beside.Go(func() {
		defer c.rescue()
		job()
	})
}

// rescue ends the client, and nothing else, where what it is deferred by has
// panicked.
func (c *Client) rescue() {
	if v := recover(); v != nil {
		c.die(&PanicError{Value: v, Stack: debug.Stack()})
	}
}

// caught makes an error of the panic that it is deferred in.
func caught(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// die ends the client with err.
func (c *Client) die(err error) { c.post(letter{fatal: err}) }
