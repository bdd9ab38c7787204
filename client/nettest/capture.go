package nettest

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
)

// A Frame is an Ethernet frame that was seen on a link.
type Frame struct {
	At   time.Time // when the kernel saw it, however late it was read
	Data []byte    // from the Ethernet header on
}

// A Capture hears everything on one link, in both directions.
type Capture struct {
	conn *packet.Conn
	raw  syscall.RawConn
	done chan struct{}

	mu     sync.Mutex
	frames []Frame
	came   chan struct{} // closed and made anew with each frame
}

// Capture begins to listen on a link. Close it before its host.
func (h *Host) Capture(link string) (*Capture, error) {
	c := &Capture{done: make(chan struct{}), came: make(chan struct{})}
	err := h.Do(func() error {
		ifi, err := net.InterfaceByName(link)
		if err != nil {
			return err
		}
		c.conn, err = packet.Listen(ifi, packet.Raw, unix.ETH_P_ALL, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	if c.raw, err = c.conn.SyscallConn(); err == nil {
		err = errors.Join(c.raw.Control(func(fd uintptr) {
			err = os.NewSyscallError("setsockopt SO_TIMESTAMPNS", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
		}), err)
	}
	if err != nil {
		return nil, errors.Join(err, c.conn.Close())
	}
	go c.listen()
	return c, nil
}

func (c *Capture) listen() {
	defer close(c.done)
	b := make([]byte, 1<<16)
	for {
		f, err := c.read(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		case err != nil: // such as ENETDOWN, once for each time the link goes down
			if errors.Is(err, unix.ENETDOWN) {
				continue
			}
			return
		}
		c.mu.Lock()
		c.frames = append(c.frames, f)
		close(c.came)
		c.came = make(chan struct{})
		c.mu.Unlock()
	}
}

// read reads the next frame by way of b. The package packet would not deliver
// the time.
func (c *Capture) read(b []byte) (f Frame, err error) {
	var n, oobn int
	var oob [64]byte
	waiting := c.raw.Read(func(fd uintptr) bool {
		n, oobn, _, _, err = unix.Recvmsg(int(fd), b, oob[:], 0)
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
	if err = errors.Join(waiting, err); err != nil {
		return Frame{}, err
	}
	return Frame{seenAt(oob[:oobn]), append([]byte(nil), b[:n]...)}, nil
}

// seenAt is the time in the control messages of a packet.
func seenAt(oob []byte) time.Time {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(list) != 1 || len(list[0].Data) != int(unsafe.Sizeof(unix.Timespec{})) {
		return time.Now() // a kernel that tells otherwise
	}
	return time.Unix((*unix.Timespec)(unsafe.Pointer(&list[0].Data[0])).Unix())
}

// Close ends the capture; what was heard stays.
func (c *Capture) Close() error {
	err := c.conn.SetReadDeadline(time.Unix(1, 0))
	<-c.done
	return errors.Join(err, c.conn.Close())
}

// Frames returns what was heard so far.
func (c *Capture) Frames() []Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Frame(nil), c.frames...)
}

// Wait returns the first frame, heard or yet to come, for which want is true,
// or false after the given time. While this program has to wait for the machine
// it does not pass.
func (c *Capture) Wait(limit time.Duration, want func(Frame) bool) (Frame, bool) {
	const tick = 20 * time.Millisecond
	ticks := time.NewTicker(tick) // those that nobody is there to take are not kept
	defer ticks.Stop()
	for seen, left := 0, limit/tick; ; {
		c.mu.Lock()
		frames, came := c.frames, c.came
		c.mu.Unlock()
		for ; seen < len(frames); seen++ {
			if want(frames[seen]) {
				return frames[seen], true
			}
		}
		if left < 0 {
			return Frame{}, false
		}
		select {
		case <-came:
		case <-ticks.C:
			left-- // and something may have come, too
		}
	}
}

// The places of the fields in an Ethernet frame.
const (
	etherHeader = 14
	etherIPv4   = 0x0800
	etherARP    = 0x0806
)

// EtherType returns the type of the payload, such as 0x0806 for ARP.
func (f Frame) EtherType() uint16 {
	if len(f.Data) < etherHeader {
		return 0
	}
	return binary.BigEndian.Uint16(f.Data[12:])
}

// Dst and Src return the hardware addresses of the frame.
func (f Frame) Dst() net.HardwareAddr { return net.HardwareAddr(f.Data[0:6]) }

// Src returns the hardware address of the sender.
func (f Frame) Src() net.HardwareAddr { return net.HardwareAddr(f.Data[6:12]) }

// DHCP returns the DHCP message in the frame and the IP addresses it goes
// from and to, or false if there is none.
func (f Frame) DHCP() (m *dhcp4.Message, src, dst netip.Addr, ok bool) {
	if f.EtherType() != etherIPv4 || len(f.Data) < etherHeader+28 {
		return nil, src, dst, false
	}
	ip := f.Data[etherHeader:]
	header := int(ip[0]&15) * 4
	if ip[9] != unix.IPPROTO_UDP || len(ip) < header+8 {
		return nil, src, dst, false
	}
	udp := ip[header:]
	for _, port := range []uint16{binary.BigEndian.Uint16(udp), binary.BigEndian.Uint16(udp[2:])} {
		if port != 67 && port != 68 {
			return nil, src, dst, false
		}
	}
	m, err := dhcp4.Parse(udp[8:])
	if err != nil {
		return nil, src, dst, false
	}
	return m, netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20])), true
}

// ARP returns the operation, the sender and the target of an ARP packet, or
// false if the frame is none.
func (f Frame) ARP() (op uint16, sender, target netip.Addr, ok bool) {
	if f.EtherType() != etherARP || len(f.Data) < etherHeader+28 {
		return 0, sender, target, false
	}
	a := f.Data[etherHeader:]
	return binary.BigEndian.Uint16(a[6:]), netip.AddrFrom4([4]byte(a[14:18])), netip.AddrFrom4([4]byte(a[24:28])), true
}
