package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// A pcapFile keeps packets as Wireshark and tcpdump read them (the classic
// format, https://wiki.wireshark.org/Development/LibpcapFileFormat), with
// Ethernet headers made up from what the socket said of the peer. A nil
// *pcapFile keeps nothing.
type pcapFile struct {
	own net.HardwareAddr

	mu  sync.Mutex // frames come from several goroutines
	f   *os.File
	err error // the first one that writing gave
}

const (
	pcapMagic    = 0xa1b23c4d // nanosecond timestamps
	linkEthernet = 1
	snapLength   = 1 << 16

	etherIPv4 = 0x0800
	etherARP  = 0x0806
)

// createPcap makes the file and writes its header.
func createPcap(path string, own net.HardwareAddr) (*pcapFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep packets: %w", err)
	}
	h := make([]byte, 0, 24)
	h = binary.LittleEndian.AppendUint32(h, pcapMagic)
	h = binary.LittleEndian.AppendUint16(h, 2)
	h = binary.LittleEndian.AppendUint16(h, 4)
	h = append(h, 0, 0, 0, 0, 0, 0, 0, 0)
	h = binary.LittleEndian.AppendUint32(h, snapLength)
	h = binary.LittleEndian.AppendUint32(h, linkEthernet)
	_, err = f.Write(h)
	return &pcapFile{own: own, f: f, err: err}, nil
}

// write adds one packet, given from behind its Ethernet header. An unknown
// peer is shown as the broadcast address when sending, as zeros when
// receiving.
func (p *pcapFile) write(at time.Time, sent bool, etherType uint16, peer net.HardwareAddr, data []byte) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	dst, src := address(peer, 0xff), address(p.own, 0)
	if !sent {
		dst, src = src, address(peer, 0)
	}
	length := 14 + len(data)
	b := make([]byte, 0, 16+length)
	b = binary.LittleEndian.AppendUint32(b, uint32(at.Unix()))
	b = binary.LittleEndian.AppendUint32(b, uint32(at.Nanosecond()))
	b = binary.LittleEndian.AppendUint32(b, uint32(length))
	b = binary.LittleEndian.AppendUint32(b, uint32(length))
	b = append(b, dst[:]...)
	b = append(b, src[:]...)
	b = binary.BigEndian.AppendUint16(b, etherType)
	b = append(b, data...)
	_, p.err = p.f.Write(b)
}

// close ends the file and tells of the first thing that went wrong with it.
func (p *pcapFile) close() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.f.Close()
	if p.err != nil {
		err = p.err
	}
	if err != nil {
		return fmt.Errorf("keep packets: %w", err)
	}
	return nil
}

// address is a as six bytes, or six times fill if a has another length.
func address(a net.HardwareAddr, fill byte) (out [6]byte) {
	if len(a) == 6 {
		copy(out[:], a)
		return out
	}
	for i := range out {
		out[i] = fill
	}
	return out
}
