package machine

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata with what the machine does now; read the diff as a story before you commit it")

// epoch is the instant 0s of all stories.
var epoch = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// TestTranscripts replays every story in testdata: an input line, then the
// machine's complete answer, indented. Lines of input are
//
//	INSTANT INPUT [ARGUMENT…]
//
// "wait" is a Timeout at the machine's own deadline, "until INSTANT" as many of
// them as are due by then. Lines that begin with "config" come first.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, want)
			if *update {
				if err := os.WriteFile(file, got, 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s: -file +machine\n%s", file, diff)
			}
		})
	}
}

// replay runs the inputs of a story and returns it with the answers as they
// are.
func replay(t *testing.T, story []byte) []byte {
	s := newStory(t)
	lines := bufio.NewScanner(bytes.NewReader(story))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "    "): // an old answer
		case line == "" || strings.HasPrefix(line, "#"):
			fmt.Fprintln(&s.out, line)
		case strings.HasPrefix(line, "config "):
			fmt.Fprintln(&s.out, line)
			s.config(strings.Fields(line)[1:])
		default:
			fmt.Fprintln(&s.out, line)
			s.input(strings.Fields(line))
		}
	}
	return s.out.Bytes()
}

// A story is a machine and what is needed to speak of it in text.
type story struct {
	t    *testing.T
	out  bytes.Buffer
	cfg  Config
	m    *Machine
	last *dhcp4.Message // sent most recently
	xids map[uint32]int
}

func newStory(t *testing.T) *story {
	return &story{t: t, cfg: testConfig(), xids: map[uint32]int{}}
}

func testConfig() Config {
	return Config{
		Link:      Link{HType: dhcp4.HTypeEthernet, CHAddr: dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}},
		ClientID:  dhcp4.ClientID{1, 2, 0, 0, 0, 0, 1},
		OfferWait: AutoOfferWait,
		Rand:      rand.New(rand.NewPCG(1, 2)),
	}
}

func (s *story) config(words []string) {
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		switch k {
		case "offer-wait":
			s.cfg.OfferWait = s.duration(v)
		case "request-address":
			s.cfg.RequestAddr = netip.MustParseAddr(v)
		case "lease-time":
			s.cfg.LeaseTime = dhcp4.Lifetime(s.duration(v) / time.Second)
		case "initial-delay":
			s.cfg.InitialDelay = s.duration(v)
		case "hostname":
			s.cfg.HostName = v
		case "vendor-class":
			s.cfg.VendorClass = v
		case "require":
			spec, ok := dhcp4.ByName(v)
			s.must(ok, "no option %q", v)
			s.cfg.Require = append(s.cfg.Require, spec.OptionCode())
		case "allow":
			s.cfg.Allow = append(s.cfg.Allow, netip.MustParsePrefix(v))
		case "deny":
			s.cfg.Deny = append(s.cfg.Deny, netip.MustParsePrefix(v))
		case "no-server":
			s.cfg.NoServerFail = v == "fail"
		case "no-server-after":
			s.cfg.NoServerAfter = s.duration(v)
		case "carrier-delay":
			s.cfg.CarrierDelay = s.duration(v)
		case "survey":
			s.cfg.Survey = true
		case "infiniband":
			s.cfg.Link = Link{HType: dhcp4.HTypeInfiniBand, Broadcast: true}
		default:
			s.t.Fatalf("config %q?", w)
		}
	}
}

func (s *story) input(words []string) {
	if s.m == nil {
		m, err := New(s.cfg)
		if err != nil {
			s.t.Fatal(err)
		}
		s.m = m
	}
	now := epoch.Add(s.duration(words[0]))
	if words[1] == "until" {
		for d := s.m.Deadline(); !d.IsZero() && !d.After(now); d = s.m.Deadline() {
			s.step(d, Timeout{})
		}
		return
	}
	if words[1] == "wait" {
		d := s.m.Deadline()
		s.must(!d.IsZero(), "wait for ever?")
		s.step(d, Timeout{})
		return
	}
	s.step(now, s.parse(now, words[1], words[2:]))
}

func (s *story) parse(now time.Time, verb string, args []string) Input {
	switch verb {
	case "start":
		return Start{}
	case "remember", "held":
		return Start{Remembered: s.lease(args), Held: verb == "held"}
	case "adopt":
		return Adopt{Lease: s.lease(args)}
	case "inform":
		in := Inform{Addr: netip.MustParsePrefix(args[0])}
		if len(args) > 1 {
			in.Server = netip.MustParseAddr(args[1])
		}
		return in
	case "timeout":
		return Timeout{}
	case "offer", "ack", "nak":
		return Received{Message: s.message(verb, args)}
	case "probed":
		in := Probed{Addr: netip.MustParseAddr(args[0])}
		switch {
		case len(args) == 1:
		case args[1] == "error":
			in.Err = fmt.Errorf("%s", strings.Join(args[2:], " "))
		default:
			in.Holder = s.hardware(args[1])
		}
		return in
	case "applied":
		in := Applied{Lease: s.m.lease}
		if len(args) > 0 {
			in.Err = fmt.Errorf("%s", strings.Join(args, " "))
		}
		return in
	case "conflicted":
		return Conflicted{Addr: netip.MustParseAddr(args[0]), Holder: s.hardware(args[1])}
	case "link":
		return LinkChanged{Up: args[0] != "down", Reset: args[0] == "reset"}
	case "renew":
		return Renew{}
	case "rebind":
		return Rebind{}
	case "release":
		return Release{}
	case "reacquire":
		return Reacquire{}
	case "reapply":
		return Reapply{}
	case "pause":
		return Pause{}
	case "resume":
		return Resume{}
	case "leave":
		return Leave{}
	case "stop":
		return Stop{}
	}
	s.t.Fatalf("input %q?", verb)
	return nil
}

// lease reads "ADDR/BITS from SERVER START LENGTH", START being an instant.
func (s *story) lease(args []string) lease.Lease {
	start := epoch.Add(s.duration(args[3]))
	length := s.duration(args[4])
	return lease.Lease{
		Addr: netip.MustParsePrefix(args[0]), Server: netip.MustParseAddr(args[2]),
		Start: start, T1: start.Add(length / 2), T2: start.Add(length * 7 / 8), Expiry: start.Add(length),
	}
}

// message reads "ADDR/BITS from SERVER [OPTION=VALUE…]"; OPTION may also be
// xid, chaddr or yiaddr. "-" stands for no address and for no server.
func (s *story) message(verb string, args []string) *dhcp4.Message {
	s.must(s.last != nil, "nothing was sent yet")
	msg := &dhcp4.Message{Op: dhcp4.OpReply, HType: s.last.HType, XID: s.last.XID, CHAddr: s.last.CHAddr}
	types := map[string]dhcp4.MessageType{"offer": dhcp4.Offer, "ack": dhcp4.ACK, "nak": dhcp4.NAK}
	put(dhcp4.MsgType, msg, types[verb])
	if args[0] != "-" {
		p := netip.MustParsePrefix(args[0])
		msg.YIAddr = p.Addr()
		put(dhcp4.SubnetMask, msg, p.Bits())
	}
	if args[2] != "-" {
		put(dhcp4.ServerID, msg, netip.MustParseAddr(args[2]))
	}
	for _, a := range args[3:] {
		k, v, _ := strings.Cut(a, "=")
		switch k {
		case "op":
			msg.Op = dhcp4.OpRequest
		case "xid":
			msg.XID ^= 1
		case "chaddr":
			msg.CHAddr = s.hardware(v)
		default:
			spec, ok := dhcp4.ByName(k)
			s.must(ok, "no option %q", k)
			b, err := spec.Parse(v)
			s.must(err == nil, "%s: %v", a, err)
			msg.Options.Put(spec.OptionCode(), b)
		}
	}
	return msg
}

func (s *story) hardware(text string) dhcp4.HardwareAddr {
	var a dhcp4.HardwareAddr
	for _, part := range strings.Split(text, ":") {
		var b byte
		_, err := fmt.Sscanf(part, "%02x", &b)
		s.must(err == nil, "hardware address %q: %v", text, err)
		a = append(a, b)
	}
	return a
}

func (s *story) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	s.must(err == nil, "%v", err)
	return d
}

func (s *story) must(ok bool, format string, args ...any) {
	s.t.Helper()
	if !ok {
		s.t.Fatalf(format, args...)
	}
}
