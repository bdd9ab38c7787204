package store

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/lease"
)

// granted is a lease of an hour that began so long ago.
func granted(age time.Duration) lease.Lease {
	l := newHost().lease()
	start := time.Now().Add(-age)
	l.Start, l.T1, l.T2, l.Expiry = start, start.Add(30*time.Minute), start.Add(50*time.Minute), start.Add(time.Hour)
	return l
}

func TestWhoGotALeaseIsKnownAsLongAsItIsValid(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, "eth0", hw, id, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s.Settings = json.RawMessage(`{ "metric": 5 }`)
	want := granted(10 * time.Minute)
	if err := s.Save(want); err != nil {
		t.Fatal(err)
	}
	f, known := LoadFormer(dir, "eth0", time.Now)
	if !known || string(f.Settings) != `{"metric":5}` || string(f.ClientID) != string(id) {
		t.Errorf("%v, %+v", known, f)
	}
	if d := f.Lease.Start.Sub(want.Start).Abs(); f.Lease.Addr != want.Addr || d > time.Second {
		t.Errorf("lease %v, its start moved by %v", f.Lease.Addr, d)
	}
	if r := load(t, s); !r.Usable {
		t.Errorf("with settings beside it the lease is not usable: %s", r.Why)
	}
	if _, known := LoadFormer(dir, "eth1", time.Now); known {
		t.Error("it is known of another link")
	}
	if err := s.Save(granted(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if f, known := LoadFormer(dir, "eth0", time.Now); known {
		t.Errorf("it has expired: %+v", f)
	}
}

// The form of the file is the one that it always had. C5: who used no client
// identifier extends the lease without one.
func TestAFileOfBeforeThereWereSettingsIsRead(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, "eth0", hw, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(granted(0)); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(s.path()); err != nil || strings.Contains(string(text), "settings") {
		t.Errorf("nothing was told, and it is remembered: %v\n%s", err, text)
	}
	if f, known := LoadFormer(dir, "eth0", time.Now); !known || f.Settings != nil || f.ClientID != nil {
		t.Errorf("%v, %+v", known, f)
	}
}

// What is in the file may be anybody's.
func TestWhatNobodySavedTellsOfNobody(t *testing.T) {
	good := content{Lease: granted(0), Saved: time.Now(), SavedWall: time.Now(), SavedBoot: int64(sinceBoot()), BootID: bootID()}
	for name, spoil := range map[string]func(*content){
		"no lease":               func(c *content) { c.Lease = lease.Lease{} },
		"a client identifier":    func(c *content) { c.ClientID = "none of this" },
		"a lease of tomorrow":    func(c *content) { c.Lease = granted(-24 * time.Hour) },
		"a clock that went back": func(c *content) { c.BootID = ""; c.SavedWall = time.Now().Add(time.Hour) },
	} {
		dir := t.TempDir()
		c := good
		spoil(&c)
		if err := write((&Link{dir: dir, name: "eth0"}).path(), c); err != nil {
			t.Fatal(err)
		}
		if f, known := LoadFormer(dir, "eth0", time.Now); known {
			t.Errorf("%s: %+v", name, f)
		}
	}
	dir := t.TempDir()
	if err := write((&Link{dir: dir, name: "eth0"}).path(), good); err != nil {
		t.Fatal(err)
	}
	if _, known := LoadFormer(dir, "eth0", time.Now); !known {
		t.Error("the good one is not known either")
	}
}
