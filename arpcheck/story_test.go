package arpcheck

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/arp"
)

var update = flag.Bool("update", false, "rewrite testdata/stories with what the machines do now")

// TestStories replays testdata/stories. A line that begins with ">" is an
// input; the lines after it are all that the machine does until the next one.
//
//	> 0s probe fast             a new prober in that mode (seed 1)
//	> 0s announce rfc5227       a new announcer
//	> 0s watch once             a new watcher with that defence
//	> 1s hear KIND MAC          them, third, ours (this host) or us
//	> 1s lost                   the last packet did not leave the host
//	> 1s announced              the address was announced
//	> 9s end                    nothing more happens until then
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d stories, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// A stage is where a story plays.
type stage struct {
	t   *testing.T
	m   machine
	out strings.Builder
}

func replay(t *testing.T, text string) string {
	s := &stage{t: t}
	for line := range strings.Lines(text) {
		input, isInput := strings.CutPrefix(line, "> ")
		switch {
		case strings.HasPrefix(line, "#"):
			s.out.WriteString(line)
		case isInput:
			words := strings.Fields(input)
			at, err := time.ParseDuration(words[0])
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			s.runTo(epoch.Add(at))
			s.out.WriteString(line)
			s.act(epoch.Add(at), words[1:])
		}
	}
	return s.out.String()
}

// runTo lets time pass until now.
func (s *stage) runTo(now time.Time) {
	for range 20 {
		if s.m == nil || s.m.Deadline().IsZero() || s.m.Deadline().After(now) {
			return
		}
		s.step(s.m.Deadline(), timeout{})
	}
	s.t.Fatal("20 timeouts and no end")
}

func (s *stage) step(now time.Time, in input) {
	for _, out := range s.m.Step(now, in) {
		at := now.Sub(epoch).Round(time.Millisecond)
		switch out := out.(type) {
		case send:
			fmt.Fprintf(&s.out, "%v send %s\n", at, kindOf(out.packet))
		case verdict:
			fmt.Fprintf(&s.out, "%v %s\n", at, told(out))
		}
	}
}

func told(v verdict) string {
	switch {
	case v.err != nil:
		return fmt.Sprintf("failed: %v", v.err)
	case v.holder != nil:
		return fmt.Sprintf("lost to %v", v.holder)
	}
	return "done"
}

func (s *stage) act(now time.Time, words []string) {
	switch word := words[0]; word {
	case "probe", "announce":
		mode, err := ParseMode(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.m = newAnnouncer(now, testSubject(), mode.Timing())
		if word == "probe" {
			s.m = newProber(now, testSubject(), mode.Timing(), rand.New(rand.NewPCG(1, 0)))
		}
	case "watch":
		d, err := ParseDefence(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.m = newWatcher(testSubject(), d, Fast.Timing())
	case "hear":
		s.step(now, heard(spoken(s.t, words[1], words[2])))
	case "lost":
		s.step(now, lost{fmt.Errorf("no buffer space")})
	case "announced":
		s.step(now, announced{})
	case "end":
	default:
		s.t.Fatalf("unknown input %q", word)
	}
}

// spoken returns a packet of a kind from somebody.
func spoken(t *testing.T, kind, who string) *arp.Packet {
	mac := map[string]net.HardwareAddr{"us": us, "ours": ours, "them": them, "third": third}[who]
	nowhere := netip.IPv4Unspecified()
	switch kind {
	case "probe":
		return probePacket(mac, addr)
	case "announcement":
		return announcement(mac, addr)
	case "request":
		return request(mac, addr, other)
	case "answer-to-probe":
		return makeARP(arp.OperationReply, mac, addr, us, nowhere)
	case "answer-to-announcement":
		return makeARP(arp.OperationReply, mac, addr, us, addr)
	case "question":
		return request(mac, other, addr)
	}
	t.Fatalf("unknown kind %q", kind)
	return nil
}
