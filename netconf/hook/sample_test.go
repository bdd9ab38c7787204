package hook

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/lease"
)

var update = flag.Bool("update", false, "write the samples anew")

// samples has one of each event.
func samples() (out []*Event) {
	short := []string{"dhcp-message-type=5", "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=3600", "subnet-mask=255.255.255.0", "routers=192.0.2.1"}
	now, before := leaseOf("192.0.2.77", short...), leaseOf("192.0.2.66", short...)
	later := *now
	for _, t := range []*time.Time{&later.Start, &later.T1, &later.T2, &later.Expiry} {
		*t = t.Add(30 * time.Minute)
	}
	add := func(n Name, state, text string, l, former *lease.Lease) *Event {
		e := &Event{Name: n, Time: start.Add(time.Second), Interface: "eth0", State: state, Text: text, Lease: l, Former: former}
		out = append(out, e)
		return e
	}
	add(Bound, "BOUND", "", sampleLease(), nil).Missed = 2
	add(Renewed, "BOUND", "", &later, now)
	add(Rebound, "BOUND", "", &later, now)
	add(Rebooted, "BOUND", "no server answered: the remembered lease is used for its remaining time", now, before).Unconfirmed = true
	other := *now
	other.DNS = nil
	add(Reconfigured, "BOUND", "", &other, now)
	add(Expired, "INIT", "the lease has expired", now, nil)
	add(Released, "IDLE", "", now, nil)
	add(Conflict, "INIT", "192.0.2.77 is in use by 02:00:00:00:00:99; DHCPDECLINE sent to 192.0.2.1", now, nil).Holder = "02:00:00:00:00:99"
	add(NAK, "INIT", `DHCPNAK from 192.0.2.1: "not here"`, now, nil)
	add(NoServer, "SELECTING", "no acceptable offer to 1 DHCPDISCOVER", nil, nil)
	add(LinkUp, "INIT-REBOOT", "", now, nil)
	add(LinkDown, "BOUND", "", now, nil)
	e := add(Stopping, "IDLE", "the lease stays in use", now, nil)
	e.Kept, e.Namespace = true, "blue"
	return out
}

func TestEachEventHasASample(t *testing.T) {
	for i, e := range samples() {
		if e.Name != Names()[i] {
			t.Fatalf("sample %d is of %s", i, e.Name)
		}
		line, err := e.JSON()
		if err != nil || bytes.Count(line, []byte("\n")) != 1 || !bytes.HasSuffix(line, []byte("\n")) {
			t.Fatalf("%q, %v", line, err)
		}
		var text bytes.Buffer
		if err := json.Indent(&text, line, "", "  "); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", string(e.Name)+".json")
		if *update {
			mustDo(t, os.WriteFile(path, text.Bytes(), 0o644))
		}
		want, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(want, text.Bytes()) {
			t.Errorf("%s: %v; it was:\n%s\nit is:\n%s", path, err, want, &text)
		}
		var again Event
		if err := json.Unmarshal(line, &again); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSamplesHaveEveryMember(t *testing.T) {
	var all bytes.Buffer
	for _, e := range samples() {
		line, err := e.JSON()
		mustDo(t, err)
		all.Write(line)
	}
	readme, err := os.ReadFile("../../examples/hooks/README.md")
	mustDo(t, err)
	for f := range reflect.TypeFor[Event]().Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !strings.Contains(all.String(), `"`+key+`":`) {
			t.Errorf("no sample has %q", key)
		}
		if !strings.Contains(string(readme), "`"+key+"`") {
			t.Errorf("examples/hooks/README.md does not name %q", key)
		}
	}
	for _, n := range Names() {
		if !strings.Contains(string(readme), "`"+string(n)+"`") {
			t.Errorf("examples/hooks/README.md does not name %q", n)
		}
	}
	for _, e := range samples() {
		for _, v := range e.environment() {
			name, _, _ := strings.Cut(v, "=")
			if !strings.Contains(string(readme), "`"+name+"`") {
				t.Errorf("examples/hooks/README.md does not name %s", name)
			}
		}
	}
}
