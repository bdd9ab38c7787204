package difftest

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/client/dhcp4"
)

// seeds are the real packets that the codec's own tests use.
func seeds(f testing.TB) (out [][]byte) {
	file, err := os.Open("../../client/dhcp4/testdata/packets.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p struct {
			Hex string `json:"bytes_hex"`
		}
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			f.Fatal(err)
		}
		b, err := hex.DecodeString(p.Hex)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, b)
	}
	if err := lines.Err(); err != nil || len(out) < 100 {
		f.Fatalf("%d packets, %v", len(out), err)
	}
	return out
}

func TestCorpusAgainstInsomniacslk(t *testing.T) {
	for _, b := range seeds(t) {
		compareInsomniacslk(t, b)
	}
}

func TestCorpusAgainstGopacket(t *testing.T) {
	for _, b := range seeds(t) {
		compareGopacket(t, b)
	}
}

func FuzzAgainstInsomniacslk(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(compareInsomniacslk)
}

func FuzzAgainstGopacket(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(compareGopacket)
}

// refusedByUs reports whether our refusal is the RFC's: a message without a
// type is BOOTP (RFC 2131, section 3), one whose type, server identifier or
// lease time has the wrong length says nothing (RFC 2132, sections 9.2, 9.6,
// 9.7), op is 1 or 2 (RFC 2131, section 2). The other two let these pass and
// leave them to their callers.
func refusedByUs(err error) bool {
	return errors.Is(err, dhcp4.ErrNoType) || errors.Is(err, dhcp4.ErrEssential) || errors.Is(err, dhcp4.ErrOp)
}

func compareInsomniacslk(t *testing.T, b []byte) {
	ours, err := dhcp4.Parse(b)
	theirs, errTheirs := dhcpv4.FromBytes(b)
	switch {
	case err != nil && errTheirs != nil:
		return
	case err != nil:
		// It cuts a hardware address of more than 16 bytes; chaddr has
		// no more (RFC 2131, section 2).
		if !refusedByUs(err) && !errors.Is(err, dhcp4.ErrHLen) {
			t.Fatalf("we refuse: %v\n%x", err, b)
		}
		return
	case errTheirs != nil:
		// It refuses a message whose end option is missing or whose last
		// option is cut off; RFC 2131, section 4.1 asks senders for the
		// end, and asks receivers for nothing. What came before counts.
		if !excusedEnd(b, ours) {
			t.Fatalf("they refuse: %v\n%x", errTheirs, b)
		}
		return
	}
	if ours.XID != uint32(theirs.TransactionID[0])<<24|uint32(theirs.TransactionID[1])<<16|uint32(theirs.TransactionID[2])<<8|uint32(theirs.TransactionID[3]) {
		t.Errorf("xid %#x, theirs %v", ours.XID, theirs.TransactionID)
	}
	if ours.YIAddr.String() != theirs.YourIPAddr.String() || ours.CIAddr.String() != theirs.ClientIPAddr.String() ||
		ours.SIAddr.String() != theirs.ServerIPAddr.String() || ours.GIAddr.String() != theirs.GatewayIPAddr.String() {
		t.Errorf("addresses: %v, theirs %v", ours, theirs)
	}
	if !bytes.Equal(ours.CHAddr, theirs.ClientHWAddr) {
		t.Errorf("chaddr %v, theirs %v", ours.CHAddr, theirs.ClientHWAddr)
	}
	if excusedOverload(theirs.Options.Get(dhcpv4.GenericOptionCode(52))) {
		return
	}
	for _, o := range ours.Options {
		if v := theirs.Options.Get(dhcpv4.GenericOptionCode(o.Code)); !bytes.Equal(v, o.Value) {
			t.Errorf("option %d: %x, theirs %x", uint8(o.Code), o.Value, v)
		}
	}
	for c, v := range theirs.Options {
		if _, ok := ours.Options.Lookup(dhcp4.Code(c)); !ok && c != 52 && c != 0 && c != 255 {
			t.Errorf("option %d: theirs %x, ours none", c, v)
		}
	}
}

// excusedEnd reports whether the options field has no end option where one
// should be.
func excusedEnd(b []byte, ours *dhcp4.Message) bool {
	if len(ours.Problems) > 0 {
		return true
	}
	for o := b[240:]; len(o) > 0; {
		switch {
		case o[0] == 255:
			return false
		case o[0] == 0:
			o = o[1:]
		case len(o) < 2 || len(o) < 2+int(o[1]):
			return true
		default:
			o = o[2+int(o[1]):]
		}
	}
	return true
}

// excusedOverload: it knows option 52 by name and never reads what that says,
// so that options in file and sname are lost. RFC 2131, section 4.1 tells
// clients to read them.
func excusedOverload(v []byte) bool { return len(v) == 1 && v[0] >= 1 && v[0] <= 3 }

func compareGopacket(t *testing.T, b []byte) {
	ours, err := dhcp4.Parse(b)
	var theirs layers.DHCPv4
	errTheirs := theirs.DecodeFromBytes(b, gopacket.NilDecodeFeedback)
	switch {
	case err != nil && errTheirs != nil:
		return
	case err != nil:
		if !refusedByUs(err) {
			t.Fatalf("we refuse: %v\n%x", err, b)
		}
		return
	case errTheirs != nil:
		// It refuses a message with an option that runs past the field.
		// RFC 3396, section 7 and RFC 2131 say nothing of it; what came
		// before is sound, and losing a lease over the last option helps
		// nobody.
		if len(ours.Problems) == 0 {
			t.Fatalf("they refuse: %v\n%x", errTheirs, b)
		}
		return
	}
	if ours.XID != theirs.Xid || ours.Secs != theirs.Secs || ours.Flags != theirs.Flags {
		t.Errorf("fields: %v, theirs %+v", ours, theirs)
	}
	if len(ours.Problems) > 0 {
		return // it keeps what we set aside with a note: a 52 of no sense, or out of place
	}
	joined := map[dhcp4.Code][]byte{} // it leaves joining (RFC 3396) to its caller
	for _, o := range theirs.Options {
		if o.Type != layers.DHCPOptPad && o.Type != layers.DHCPOptEnd && o.Type != 52 {
			joined[dhcp4.Code(o.Type)] = append(joined[dhcp4.Code(o.Type)], o.Data...)
		}
	}
	for _, o := range ours.Options {
		v, ok := joined[o.Code]
		if !ok || !bytes.Equal(v, o.Value) {
			t.Errorf("option %d: %x, theirs %x", uint8(o.Code), o.Value, v)
		}
		delete(joined, o.Code)
	}
	if len(joined) > 0 {
		t.Errorf("options that we lack: %v\n%x", joined, b)
	}
}
