package resolv

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAFileThatSomebodyTookAwayIsPutBack(t *testing.T) {
	p := newPlace(t, places["a file"])
	f := p.file()
	must(t, f.Set("eth0", one.Config))
	must(t, os.Remove(p.path))
	must(t, f.Set("eth0", one.Config))
	p.wants("after a renewal", one)
	must(t, f.Unset("eth0"))
	p.clean("in the end")
}

func TestARenewalLeavesAChangedFileAloneAndNewsTakesItOver(t *testing.T) {
	p := newPlace(t, places["a file"])
	f := p.file()
	must(t, f.Set("eth0", one.Config))
	const theirs = "nameserver 10.0.0.1\n"
	must(t, os.WriteFile(p.path, []byte(theirs), 0o644))
	var managed *ManagedError
	if err := f.Set("eth0", one.Config); !errors.As(err, &managed) {
		t.Errorf("a renewal with nothing new: %v", err)
	}
	if got := read(t, p.path); got != theirs {
		t.Errorf("overwritten: %q", got)
	}
	must(t, f.Set("eth0", changed.Config))
	p.wants("after news", changed)
	must(t, f.Unset("eth0"))
	if got := read(t, p.path); got != theirs {
		t.Errorf("%q, want what stood there at last", got)
	}
}

func TestARenewalWritesNothing(t *testing.T) {
	p := newPlace(t, places["a file"])
	f := p.file()
	must(t, f.Set("eth0", one.Config))
	f.Step = func(what string) { t.Errorf("a renewal that changes nothing: %s", what) }
	must(t, f.Set("eth0", one.Config))
}

// The state is gone, and our text stands: that is nothing to put back one day.
func TestOurOwnTextIsNeverTakenForTheOperators(t *testing.T) {
	p := newPlace(t, places["nothing"])
	must(t, p.file().Set("eth0", one.Config))
	must(t, os.RemoveAll(p.dir))
	must(t, p.file().Set("eth1", two.Config))
	p.wants("after the state was lost", two)
	must(t, p.file().Unset("eth1"))
	p.clean("in the end")
}

func TestABrokenStateIsSetAside(t *testing.T) {
	p := newPlace(t, places["a file"])
	must(t, os.MkdirAll(p.dir, 0o700))
	must(t, os.WriteFile(statePath(p.dir, p.path), []byte("{"), 0o600))
	must(t, p.file().Set("eth0", one.Config))
	p.wants("all the same", one)
	if got := read(t, statePath(p.dir, p.path)+".broken"); got != "{" {
		t.Errorf("set aside: %q", got)
	}
}

func TestWhatCannotBePutBackIsLeftAlone(t *testing.T) {
	p := newPlace(t, places["a file"])
	must(t, os.MkdirAll(p.dir, 0o700))
	must(t, unix.Mount("tmpfs", p.dir, "tmpfs", unix.MS_RDONLY, ""))
	t.Cleanup(func() { must(t, unix.Unmount(p.dir, unix.MNT_DETACH)) })
	var state *StateError
	if err := p.file().Set("eth0", one.Config); !errors.As(err, &state) || !errors.Is(err, unix.EROFS) {
		t.Errorf("Set: %v", err)
	}
	if now := describe(t, p.path); now != p.operators {
		t.Errorf("written all the same: %s", now)
	}
	must(t, unix.Mount("", p.dir, "", unix.MS_REMOUNT, ""))
	must(t, p.file().Set("eth0", one.Config))
	p.wants("once there is room", one)
	must(t, unix.Mount("", p.dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	if err := p.file().Unset("eth0"); err == nil || describe(t, p.path) != p.operators {
		t.Errorf("Unset: %v; there is %s", err, describe(t, p.path))
	}
	must(t, unix.Mount("", p.dir, "", unix.MS_REMOUNT, ""))
	if !p.file().Holds("eth0") {
		t.Error("what is noted down is forgotten")
	}
	must(t, p.file().Unset("eth0"))
	p.clean("in the end")
}

// A service may be allowed to write this one file of /etc, and nothing beside
// it.
func TestAFileInAReadOnlyDirectoryIsWrittenInPlace(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "resolv.conf")
	must(t, os.WriteFile(outside, []byte(longer), 0o644))
	p := newPlace(t, func(p *place) error {
		dir := filepath.Dir(p.path)
		err := errors.Join(unix.Mount("tmpfs", dir, "tmpfs", 0, ""), os.WriteFile(p.path, nil, 0o644),
			unix.Mount(outside, p.path, "", unix.MS_BIND, ""), unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
		p.t.Cleanup(func() { must(t, errors.Join(unix.Unmount(p.path, 0), unix.Unmount(dir, 0))) })
		return err
	})
	must(t, p.file().Set("eth0", one.Config))
	p.wants("in place", one)
	must(t, p.file().Unset("eth0"))
	p.clean("in the end")
}

// The disk is full, and the file cannot be moved away.
func TestAFileForWhichThereIsNoRoomStays(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "full")
	must(t, errors.Join(os.Mkdir(outside, 0o755), unix.Mount("tmpfs", outside, "tmpfs", 0, "size=8k")))
	t.Cleanup(func() { must(t, unix.Unmount(outside, unix.MNT_DETACH)) })
	must(t, os.WriteFile(filepath.Join(outside, "resolv.conf"), []byte(operators), 0o644))
	p := newPlace(t, func(p *place) error {
		err := errors.Join(os.WriteFile(p.path, nil, 0o644), unix.Mount(filepath.Join(outside, "resolv.conf"), p.path, "", unix.MS_BIND, ""))
		return errors.Join(err, p.unmountLater())
	})
	if err := os.WriteFile(filepath.Join(outside, "filler"), make([]byte, 1<<14), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("there is room: %v", err)
	}
	var many Config
	for i := range 250 {
		many.Servers = append(many.Servers, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
	}
	if err := p.file().Set("eth0", many); !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Set: %v", err)
	}
	if now := describe(t, p.path); now != p.operators {
		t.Errorf("there is %.200s, want %s", now, p.operators)
	}
	must(t, p.file().Unset("eth0"))
	p.clean("in the end")
}

func TestCommentsInAnyEncodingComeBack(t *testing.T) {
	p := newPlace(t, func(p *place) error {
		return os.WriteFile(p.path, []byte("# M\xfcnchen\nnameserver 203.0.113.53\n"), 0o644)
	})
	must(t, p.file().Set("eth0", one.Config))
	must(t, p.file().Unset("eth0"))
	p.clean("in the end")
}

func TestManyLinksAtOnce(t *testing.T) {
	p := newPlace(t, places["a file"])
	shared := p.file()
	var all sync.WaitGroup
	for i := range 30 {
		f := shared
		if i%2 == 0 {
			f = p.file() // as another process has it
		}
		all.Go(func() {
			if err := f.Set(fmt.Sprint("eth", i), servers(fmt.Sprint("192.0.2.", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if links := p.file().Links(); len(links) != 30 {
		t.Errorf("%d links: %q", len(links), links)
	}
	for _, link := range p.file().Links() {
		all.Go(func() {
			if err := shared.Unset(link); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	p.clean("in the end")
}

func TestARenamedLinkKeepsItsPart(t *testing.T) {
	p := newPlace(t, places["a file"])
	f := p.file()
	must(t, errors.Join(f.Set("eth0", one.Config), f.Set("eth1", two.Config), f.Rename("eth0", "lan0")))
	if got := f.Links(); !slices.Equal(got, []string{"lan0", "eth1"}) {
		t.Errorf("%q", got)
	}
	must(t, f.Rename("lan0", "eth1")) // and the other way round, as udev does
	must(t, f.Unset("eth1"))
	p.wants("eth1 was eth0 once", part{"lan0", two.Config})
	must(t, errors.Join(f.Rename("nobody", "lan1"), f.Unset("lan0")))
	p.clean("in the end")
}

func TestWhatWasHandedToAnotherFileIsFound(t *testing.T) {
	p, q := newPlace(t, places["a file"]), newPlace(t, places["nothing"])
	q.dir = p.dir
	must(t, errors.Join(p.file().Set("eth0", one.Config), q.file().Set("eth0", one.Config), q.file().Set("eth1", two.Config)))
	if got := others(p.path, p.dir); !slices.Equal(got, []string{q.path}) {
		t.Errorf("%q", got)
	}
	must(t, errors.Join(p.file().Unset("eth0"), q.file().Unset("eth0"), q.file().Unset("eth1")))
	p.clean("in the end")
	q.clean("in the end")
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"path":"/x","before":{"kind":"file","text":{"base64":"/A=="}},"wrote":"a","links":[{"link":"eth0"}]}`), []byte("\xfc"))
	f.Fuzz(func(t *testing.T, b, text []byte) {
		var s, again state
		if json.Unmarshal(b, &s) == nil {
			s.Before.Text = content(text)
			out, err := json.Marshal(s)
			if err != nil || json.Unmarshal(out, &again) != nil || again.Before != s.Before || again.Wrote != s.Wrote {
				t.Errorf("%v: %s became %+v", err, out, again)
			}
			s.take("eth0")
			render(s.Links)
		}
	})
}
