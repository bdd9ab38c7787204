package system

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
)

// localtimes are all kinds of what an operator may have at /etc/localtime.
var localtimes = map[string]func(*box){
	"a link": func(b *box) {
		must(b.t, os.Symlink("/usr/share/zoneinfo/Etc/UTC", localtime))
		b.put(timezone, "Etc/UTC\n")
	},
	"a relative link, and no text": func(b *box) { must(b.t, os.Symlink("../usr/share/zoneinfo/America/Lima", localtime)) },
	"a link to nowhere":            func(b *box) { must(b.t, os.Symlink("nowhere", localtime)) },
	"nothing":                      func(*box) {},
	"a file, and a text of its own": func(b *box) {
		b.put(localtime, "TZif2\x00\xff\x80 the operator's")
		must(b.t, errors.Join(os.Chmod(localtime, 0o640), os.WriteFile(timezone, []byte("# mine\nFactory\n"), 0o600)))
	},
	"a text that is a link": func(b *box) {
		must(b.t, os.Symlink("/usr/share/zoneinfo/Etc/UTC", localtime))
		must(b.t, os.Symlink("elsewhere", timezone))
	},
}

func (b *box) zone(when, want string) {
	b.t.Helper()
	if target, err := os.Readlink(localtime); err != nil || target != "/usr/share/zoneinfo/"+want {
		b.t.Fatalf("%s: %s is a link to %q, %v, want %s", when, localtime, target, err, want)
	}
}

func TestAZoneComesAndGoesWithTheLease(t *testing.T) {
	for name, prepare := range localtimes {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			prepare(b)
			was := b.state()
			text, _ := look(timezone)
			z := TimeZone{b.place(nil)}
			must(t, z.Set("eth0", Zone{Name: "Europe/Berlin"}))
			b.zone("with a lease", "Europe/Berlin")
			must(t, z.Set("eth0", Zone{Name: "Asia/Tokyo"}))
			b.zone("renewed", "Asia/Tokyo")
			now, err := look(timezone)
			must(t, err)
			if text.Kind == isFile && string(now.Text) != "Asia/Tokyo\n" || text.Kind != isFile && !now.equal(text) {
				t.Errorf("%s: %+v", timezone, now)
			}
			must(t, z.Unset("eth0"))
			b.is("in the end", was)
		})
	}
}

func TestAZoneOutlivesABootAndIsPutBackAfterIt(t *testing.T) {
	b := newBox(t)
	localtimes["a link"](b)
	was := b.state()
	must(t, (&TimeZone{b.place(nil)}).Set("eth0", Zone{Name: "Europe/Berlin"}))
	next := b.place(nil)
	next.BootID = "another boot"
	z := TimeZone{next}
	if !z.Holds("eth0") {
		t.Fatal("nobody knows of it any more")
	}
	must(t, z.Unset("eth0"))
	b.is("in the end", was)
}

func TestWhatABootNotedOfTheZoneIsTakenOver(t *testing.T) {
	for name, tc := range map[string]struct {
		before, after func(*box)
		back          bool // what stood there comes back
	}{
		"as it was left":    {func(*box) {}, func(*box) {}, true},
		"known before that": {func(b *box) { must(b.t, (&TimeZone{b.place(nil)}).Set("eth0", Zone{Name: "Asia/Tokyo"})) }, func(*box) {}, true},
		"in another root": {func(*box) {}, func(b *box) {
			must(b.t, errors.Join(os.Remove(localtime), os.Symlink("/usr/share/zoneinfo/America/Lima", localtime)))
		}, false},
		"where there was nothing": {func(*box) { must(t, os.Remove(localtime)) }, func(*box) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			localtimes["a link"](b)
			was := b.state()
			tc.before(b)
			boot := TimeZone{b.place(nil)}
			boot.StateDir = b.dir + "/boot"
			must(t, boot.Set("eth0", Zone{Name: "Europe/Berlin"}))
			tc.after(b)
			left := b.state()
			z := TimeZone{b.place(nil)}
			must(t, z.Adopt(boot.StateDir))
			if boot.Holds("eth0") || z.Holds("eth0") != tc.back {
				t.Errorf("the boot's: %v, ours: %v", boot.Holds("eth0"), z.Holds("eth0"))
			}
			must(t, z.Unset("eth0"))
			if tc.back {
				left = was
			}
			b.is("in the end", left)
		})
	}
}

func TestWhoeverChangesTheZoneAfterUsKeepsIt(t *testing.T) {
	b := newBox(t)
	localtimes["a link"](b)
	z := TimeZone{b.place(nil)}
	must(t, z.Set("eth0", Zone{Name: "Europe/Berlin"}))
	must(t, errors.Join(os.Remove(localtime), os.Symlink("/usr/share/zoneinfo/America/Lima", localtime)))
	if why := z.Why("eth0", Zone{Name: "Asia/Tokyo"}); !strings.Contains(why, "somebody else") {
		t.Errorf("why: %q", why)
	}
	must(t, z.Set("eth0", Zone{Name: "Asia/Tokyo"}))
	b.zone("renewed", "America/Lima")
	must(t, z.Unset("eth0"))
	b.zone("in the end", "America/Lima")
}

func TestWhoeverPutsHisOwnZoneBackKeepsIt(t *testing.T) {
	b := newBox(t)
	localtimes["a link"](b)
	was := b.state()
	z := TimeZone{b.place(nil)}
	must(t, z.Set("eth0", Zone{Name: "Europe/Berlin"}))
	must(t, errors.Join(os.Remove(localtime), os.Symlink("/usr/share/zoneinfo/Etc/UTC", localtime)))
	b.put(timezone, "Etc/UTC\n")
	must(t, z.Set("eth0", Zone{Name: "Asia/Tokyo"}))
	b.zone("renewed", "Etc/UTC")
	must(t, z.Unset("eth0"))
	b.is("in the end", was)
}

func TestATextThatSomebodyChangesStaysHis(t *testing.T) {
	b := newBox(t)
	localtimes["a link"](b)
	z := TimeZone{b.place(nil)}
	must(t, z.Set("eth0", Zone{Name: "Europe/Berlin"}))
	must(t, os.WriteFile(timezone, []byte("His/Own\n"), 0o644))
	must(t, z.Set("eth0", Zone{Name: "Asia/Tokyo"}))
	must(t, z.Unset("eth0"))
	b.zone("in the end", "Etc/UTC")
	if text, err := os.ReadFile(timezone); err != nil || string(text) != "His/Own\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestTheLinkWithTheLowestMetricHasTheZoneAndThenTheNext(t *testing.T) {
	b := newBox(t)
	localtimes["a link"](b)
	was := b.state()
	z := TimeZone{b.place(nil)}
	must(t, z.Set("wlan0", Zone{200, "Asia/Tokyo"}))
	must(t, z.Set("eth0", Zone{100, "Europe/Berlin"}))
	b.zone("both", "Europe/Berlin")
	if why := z.Why("wlan0", Zone{200, "Asia/Tokyo"}); !strings.Contains(why, "eth0") {
		t.Errorf("why: %q", why)
	}
	must(t, z.Rename("eth0", "lan"))
	must(t, z.Unset("lan"))
	b.zone("the first one gone", "Asia/Tokyo")
	must(t, z.Unset("wlan0"))
	b.is("in the end", was)
}

func TestAZoneThatIsThereAnywayIsLeftAlone(t *testing.T) {
	b := newBox(t)
	must(t, os.Symlink("../usr/share/zoneinfo/Europe/Berlin", localtime))
	was := b.state()
	z := TimeZone{b.place(func(what string) { t.Errorf("needless: %s", what) })}
	must(t, z.Set("eth0", Zone{Name: "Europe/Berlin"}))
	must(t, z.Unset("eth0"))
	b.is("in the end", was)
}

func TestARenewalOfAZoneWritesNothing(t *testing.T) {
	b := newBox(t)
	localtimes["a link"](b)
	must(t, (&TimeZone{b.place(nil)}).Set("eth0", Zone{Name: "Europe/Berlin"}))
	z := TimeZone{b.place(func(what string) { t.Errorf("needless: %s", what) })}
	must(t, z.Set("eth0", Zone{Name: "Europe/Berlin"}))
}

func TestAnEtcThatCannotBeWrittenKeepsItsZone(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(b *box)
		err   error
		says  string
	}{
		"read-only": {func(*box) { must(t, unix.Mount("", "/etc", "", unix.MS_REMOUNT|unix.MS_RDONLY, "")) }, unix.EROFS, "must be writable"},
		"a mount point": {func(b *box) {
			must(t, os.Remove(localtime))
			b.put(localtime, "TZif2 the operator's")
			must(t, unix.Mount(localtime, localtime, "", unix.MS_BIND, ""))
		}, unix.EBUSY, "mount point"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			localtimes["a link"](b)
			tc.spoil(b)
			was := b.state()
			z := TimeZone{b.place(nil)}
			for range 2 {
				if err := z.Set("eth0", Zone{Name: "Europe/Berlin"}); !errors.Is(err, tc.err) || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("%v", err)
				}
			}
			if z.Holds("eth9") {
				t.Error("another link is to undo what was not done")
			}
			must(t, z.Unset("eth0"))
			b.is("in the end", was)
			if name == "a mount point" {
				must(t, unix.Unmount(localtime, 0))
			}
		})
	}
}

func TestAZoneThatCouldNotBePutBackIsNotSet(t *testing.T) {
	b := newBox(t)
	localtimes["a link"](b)
	was := b.state()
	b.put(b.dir+"/state", "") // where the directory should be
	var note *NoteError
	if err := (&TimeZone{b.place(nil)}).Set("eth0", Zone{Name: "Europe/Berlin"}); !errors.As(err, &note) {
		t.Errorf("%v", err)
	}
	if now := b.state(); now != was {
		t.Errorf("set all the same:\n%s", now)
	}
}

func TestN10ZonesAreFoundByTheirExactNames(t *testing.T) {
	if _, err := os.Stat(zoneinfo + "/Europe/Berlin"); err != nil {
		nettest.Missing(t, "%v", err)
	}
	for name, why := range map[string]string{
		"Europe/Berlin": "", "UTC": "", "Etc/UTC": "", "Arctic/Longyearbyen": "",
		"": "list", "europe/berlin": "list", "Europe/Berlin ": "list", "Europe/Berlin\n": "list", "Europe//Berlin": "list",
		"/usr/share/zoneinfo/Europe/Berlin": "list", "../zoneinfo/Europe/Berlin": "list", "Europe/../Europe/Berlin": "list",
		"../../../etc/passwd": "list", "tzdata.zi": "list", "localtime": "list", "posixrules": "list", "Europe": "list", "$(id)": "list",
		"o": "list", "1": "list", strings.Repeat("a", 300): "list", "CET-1CEST": "list",
	} {
		if got := BadZone(name); got != why && (why == "" || !strings.Contains(got, why)) {
			t.Errorf("%q: %q, want %q", name, got, why)
		}
	}
}

func TestN10WhateverListTheHostHas(t *testing.T) {
	b := newBox(t)
	if _, err := os.Stat(zoneinfo); err != nil {
		nettest.Missing(t, "%v", err)
	}
	b.mount(zoneinfo, "tmpfs", 0, "")
	if got := BadZone("Europe/Berlin"); !strings.Contains(got, "no list") || !strings.Contains(got, "tzdata") {
		t.Errorf("without a list: %q", got)
	}
	for _, zone := range []string{"/Europe/Berlin", "/UTC", "/Not/Listed"} {
		b.put(zoneinfo+zone, "TZif2")
	}
	b.put(zoneinfo+"/zone.tab", "# Not/Listed\nDE\t+5230+01322\tEurope/Berlin\tmost of it\nXX\t+0+0\tOnly/Listed\n")
	for name, bad := range map[string]bool{"Europe/Berlin": false, "UTC": false, "Not/Listed": true, "Only/Listed": true, "#": true} {
		if got := BadZone(name); (got != "") != bad {
			t.Errorf("%q: %q", name, got)
		}
	}
	b.put(zoneinfo+"/tzdata.zi", "# version\nR d 1916 o - Jun 14 23s 1 S\nZ Only/Listed 1 - CET\nL Only/Listed UTC\n")
	for name, bad := range map[string]bool{"Europe/Berlin": true, "UTC": false, "Only/Listed": true, "d": true, "o": true} {
		if got := BadZone(name); (got != "") != bad {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func FuzzZone(f *testing.F) {
	for _, seed := range []string{"Europe/Berlin", "../../etc/passwd", "UTC\x00", "Etc/GMT+1"} {
		f.Add(seed)
	}
	if _, err := os.Stat(zoneinfo + "/tzdata.zi"); err != nil {
		nettest.Missing(f, "%v", err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if BadZone(name) != "" {
			return
		}
		if strings.HasPrefix(name, "/") || strings.Contains(name, "..") || strings.ContainsAny(name, " \n\x00$'\"") {
			t.Errorf("%q is a zone", name)
		}
	})
}
