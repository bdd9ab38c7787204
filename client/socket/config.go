package socket

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// A Config is about watching a Conn at work. The zero Config is usable.
type Config struct {
	// Tap is called with every frame sent, and every frame received that
	// the kernel's filter let pass, also if it is dropped afterwards. Calls
	// come one at a time, but from several goroutines. It must not call
	// the Conn.
	Tap func(Frame)

	// Dropped is called when a frame is not given to the caller of Receive.
	// errors.Is finds this package's errors and those of dhcp4.Parse;
	// errors.As finds a *DropError.
	Dropped func(reason error)

	// Now gives the time of frames for Tap; nil means time.Now.
	Now func() time.Time
}

// A Frame is a packet that was sent or received.
type Frame struct {
	Time time.Time
	Sent bool
	// Data starts with the IPv4 header. It is valid during the call only.
	// Of datagrams whose headers the kernel writes (unicasts from an
	// address in use) these are as the kernel should write them.
	Data []byte
	// Peer is the link-layer address of the other side, or nil if it is
	// not known.
	Peer dhcp4.HardwareAddr
}

// A DropError says which frame was dropped, and why.
type DropError struct {
	Reason error
	Source netip.AddrPort     // the zero AddrPort if the headers are to blame
	Peer   dhcp4.HardwareAddr // the sender's link-layer address, or nil
}

// Error gives the reason and the sender.
func (e *DropError) Error() string {
	if e.Source.IsValid() {
		return fmt.Sprintf("dropped datagram of %v (%v): %v", e.Source, e.Peer, e.Reason)
	}
	return fmt.Sprintf("dropped frame of %v: %v", e.Peer, e.Reason)
}

// Unwrap returns the reason.
func (e *DropError) Unwrap() error { return e.Reason }
