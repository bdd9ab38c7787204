package dhcptest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// An ear is a packet socket on a link, the one goroutine that reads it, and what
// is still to be sent by it.
type ear struct {
	conn  *packet.Conn
	later schedule
	done  chan struct{} // closed when nobody reads any more
}

// listen reads until close. heard borrows each frame; broken is told of an end
// that nobody asked for.
func (e *ear) listen(heard func(frame []byte, from net.Addr), broken func(error)) {
	defer close(e.done)
	b := make([]byte, 1<<16)
	for {
		n, from, err := e.conn.ReadFrom(b)
		switch {
		case errors.Is(err, unix.ENETDOWN):
			continue // said once each time the link goes down
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		case err != nil:
			broken(fmt.Errorf("stopped listening: %w", err))
			return
		}
		heard(b[:n], from)
	}
}

// close ends listen. What was still to be sent is not.
func (e *ear) close() error {
	err := e.conn.SetReadDeadline(time.Unix(1, 0)) // closing would not wake the reader cleanly
	<-e.done
	e.later.close()
	return errors.Join(err, e.conn.Close())
}
