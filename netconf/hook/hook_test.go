package hook

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/nettest"
)

// A log is a place that tests can read while others write.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A bench is a folder of hooks, with somebody who runs them.
type bench struct {
	t      *testing.T
	dir    string // of the hooks
	out    string // where they write
	log    *log
	r      *Runner
	at     Place
	mu     sync.Mutex
	failed []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: filepath.Join(t.TempDir(), "hooks.d"), out: t.TempDir(), log: &log{}}
	mustDo(t, os.MkdirAll(b.dir, 0o755))
	mustDo(t, os.Chmod(b.dir, 0o755))
	b.r = NewRunner(slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})), func(_ string, err error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.failed = append(b.failed, err.Error())
	})
	b.at = Place{Dir: b.dir, Limit: time.Minute}
	return b
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hook puts a shell script into the folder. $OUT is where it writes.
func (b *bench) hook(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	nettest.Executable(b.t, path, "#!/bin/sh\nOUT="+b.out+"\n"+text+"\n")
	return path
}

// wrote is what hooks wrote into a file of $OUT.
func (b *bench) wrote(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.out, name))
	if err != nil && !os.IsNotExist(err) {
		b.t.Fatal(err)
	}
	return string(text)
}

// tell tells of events and waits for their hooks.
func (b *bench) tell(list ...Name) {
	b.t.Helper()
	for _, n := range list {
		b.r.Tell(b.at, &Event{Name: n, Time: start, Interface: "eth0", State: "BOUND", Lease: sampleLease()})
	}
	b.wait()
}

// wait waits until no hook runs any more, without a bound of its own: each hook
// has one.
func (b *bench) wait() {
	for l := b.r.busy(); l != nil; l = b.r.busy() {
		<-l.done
	}
}

// logged checks what the log has so often.
func (b *bench) logged(times int, text string) {
	b.t.Helper()
	if got := strings.Count(b.log.String(), text); got != times {
		b.t.Errorf("%q is logged %d times, want %d:\n%s", text, got, times, b.log)
	}
}

var start = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// sampleOptions are what a server sends in samples.
var sampleOptions = []string{
	"dhcp-message-type=5", "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=3600", "subnet-mask=255.255.255.0",
	"broadcast-address=192.0.2.255", "routers=192.0.2.1", "domain-name-servers=192.0.2.53,192.0.2.54",
	"domain-name=example.com", "domain-search=a.example,b.example", "ntp-servers=192.0.2.9", "interface-mtu=1400",
	"classless-static-routes=10.0.0.0/8 via 192.0.2.1,0.0.0.0/0 via 192.0.2.1",
}

func sampleLease() *lease.Lease { return leaseOf("192.0.2.77", sampleOptions...) }

// leaseOf is what a DHCPACK with options as people write them grants.
func leaseOf(addr string, options ...string) *lease.Lease {
	m := &dhcp4.Message{Op: dhcp4.OpReply, YIAddr: netip.MustParseAddr(addr)}
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		s, ok := dhcp4.ByName(name)
		if !ok {
			panic("no option " + name)
		}
		v, err := s.Parse(value)
		if err != nil {
			panic(err)
		}
		m.Options.Put(s.OptionCode(), v)
	}
	l, _, err := lease.FromACK(m, start)
	if err != nil {
		panic(fmt.Sprint(options, err))
	}
	return &l
}
