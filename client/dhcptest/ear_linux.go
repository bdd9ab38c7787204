package dhcptest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// An ear is a packet socket on a link, the one goroutine that reads it, and what
// is still to be sent by it.
type ear struct {
	link  *net.Interface
	conn  *packet.Conn
	later schedule
	done  chan struct{} // closed when nobody reads any more
}

// openEar opens a socket for packets of one EtherType, headers of the link cut
// off, that the filter lets through; without one, for all.
func openEar(link string, etherType int, filter []bpf.RawInstruction) (*ear, error) {
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		return nil, err
	}
	conn, err := packet.Listen(ifi, packet.Datagram, etherType, &packet.Config{Filter: filter})
	if errors.Is(err, os.ErrPermission) {
		err = fmt.Errorf("%w (CAP_NET_RAW is needed)", err)
	}
	return &ear{link: ifi, conn: conn, done: make(chan struct{})}, err
}

// listen reads until close. heard borrows each packet. The error is why it ended
// earlier. Whoever calls it closes done.
func (e *ear) listen(heard func(packet []byte, from net.Addr)) error {
	b := make([]byte, 1<<16)
	for {
		n, from, err := e.conn.ReadFrom(b)
		switch {
		case errors.Is(err, unix.ENETDOWN):
			continue // said once each time the link goes down
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return fmt.Errorf("stopped listening: %w", err)
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
