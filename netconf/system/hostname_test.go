package system

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAHostWithoutANameGetsOneAndLosesItWithTheLease(t *testing.T) {
	b := newBox(t)
	b.put("/etc/hostname", "localhost\n")
	for _, before := range []string{"localhost", "localhost.localdomain", "(none)", ""} {
		must(t, unix.Sethostname([]byte(before)))
		was := b.state()
		h := HostName{b.place(nil)}
		must(t, h.Set("eth0", Name{Name: "box"}))
		b.called("with a lease", "box")
		if own, err := h.Own(); err != nil || own != before {
			t.Errorf("its own name is %q, %v", own, err)
		}
		must(t, h.Set("eth0", Name{Name: "crate"}))
		b.called("renewed", "crate")
		if !h.Holds("eth0") || h.Holds("eth1") {
			t.Error("it is not known whose the name is")
		}
		must(t, h.Unset("eth0"))
		b.is("in the end", was)
	}
}

func TestAHostWithANameOfItsOwnKeepsItUnlessSaidOtherwise(t *testing.T) {
	b := newBox(t)
	must(t, unix.Sethostname([]byte("mine")))
	was := b.state()
	h := HostName{b.place(nil)}
	if why := h.Why("eth0", Name{Name: "box"}); !strings.Contains(why, `"mine"`) || !strings.Contains(why, "always") {
		t.Errorf("why: %q", why)
	}
	must(t, h.Set("eth0", Name{Name: "box"}))
	b.is("without being told to", was)
	if why := h.Why("eth0", Name{Name: "box", Always: true}); why != "" {
		t.Errorf("always: %q", why)
	}
	must(t, h.Set("eth0", Name{Name: "box", Always: true}))
	b.called("always", "box")
	must(t, h.Unset("eth0"))
	b.is("in the end", was)
}

func TestWhoeverChangesTheNameAfterUsKeepsIt(t *testing.T) {
	for _, always := range []bool{false, true} {
		for _, theirs := range []string{"theirs", "localhost"} {
			b := newBox(t)
			h := HostName{b.place(nil)}
			must(t, h.Set("eth0", Name{Name: "box", Always: always}))
			must(t, unix.Sethostname([]byte(theirs)))
			must(t, h.Set("eth0", Name{Name: "crate", Always: always}))
			b.called("after a renewal", theirs)
			if why := h.Why("eth0", Name{Name: "crate", Always: always}); !strings.Contains(why, "somebody else") {
				t.Errorf("why: %q", why)
			}
			must(t, h.Unset("eth0"))
			b.called("in the end", theirs)
		}
	}
}

func TestAHostThatIsCalledSoAnywayIsLeftAlone(t *testing.T) {
	b := newBox(t)
	must(t, unix.Sethostname([]byte("box")))
	was := b.state()
	h := HostName{b.place(func(what string) { t.Errorf("needless: %s", what) })}
	must(t, h.Set("eth0", Name{Name: "box", Always: true}))
	must(t, h.Unset("eth0"))
	b.is("in the end", was)
}

func TestARenewalOfANameWritesNothing(t *testing.T) {
	b := newBox(t)
	must(t, (&HostName{b.place(nil)}).Set("eth0", Name{Name: "box"}))
	h := HostName{b.place(func(what string) { t.Errorf("needless: %s", what) })}
	must(t, h.Set("eth0", Name{Name: "box"}))
}

func TestTheLinkWithTheLowestMetricNamesTheHostAndThenTheNext(t *testing.T) {
	b := newBox(t)
	was := b.state()
	h := HostName{b.place(nil)}
	must(t, h.Set("wlan0", Name{Metric: 200, Name: "by-radio"}))
	b.called("alone", "by-radio")
	must(t, h.Set("eth0", Name{Metric: 100, Name: "by-wire"}))
	b.called("both", "by-wire")
	if why := h.Why("wlan0", Name{Metric: 200, Name: "by-radio"}); !strings.Contains(why, "eth0") || !strings.Contains(why, "by-wire") {
		t.Errorf("why: %q", why)
	}
	must(t, h.Set("wlan0", Name{Metric: 200, Name: "by-radio-2"}))
	b.called("the other one renewed", "by-wire")
	must(t, h.Rename("eth0", "lan"))
	if h.Holds("eth0") || !h.Holds("lan") {
		t.Error("a link that is renamed lost its say")
	}
	must(t, h.Unset("lan"))
	b.called("the first one gone", "by-radio-2")
	must(t, h.Unset("wlan0"))
	b.is("in the end", was)
}

func TestANameEndsWithTheBoot(t *testing.T) {
	b := newBox(t)
	must(t, (&HostName{b.place(nil)}).Set("eth0", Name{Name: "box"}))
	next := b.place(nil)
	next.BootID = "another boot"
	h := HostName{next}
	must(t, unix.Sethostname([]byte("mine")))
	if h.Holds("eth0") {
		t.Error("what an earlier boot did is held")
	}
	must(t, h.Set("eth0", Name{Name: "box"}))
	b.called("after a boot", "mine")
}

func TestANameThatMayNotBeSetSaysWhatHelps(t *testing.T) {
	b := newBox(t)
	was := b.state()
	h := HostName{b.place(nil)}
	powerless(t, func() {
		err := h.Set("eth0", Name{Name: "box"})
		if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_SYS_ADMIN") {
			t.Errorf("%v", err)
		}
		if h.Holds("eth9") {
			t.Error("another link is to undo what was not done")
		}
		if err := h.Unset("eth0"); err != nil { // nothing was done
			t.Error(err)
		}
	}, unix.CAP_SYS_ADMIN)
	b.is("in the end", was)
}

// powerless runs f without capabilities, on a thread that ends with it.
func powerless(t *testing.T, f func(), without ...int) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		err := unix.Capget(&head, &data[0])
		for _, c := range without {
			data[c/32].Effective &^= 1 << (c % 32)
		}
		if err == nil {
			err = unix.Capset(&head, &data[0])
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	must(t, <-done)
}

func TestANameThatCouldNotBePutBackIsNotSet(t *testing.T) {
	b := newBox(t)
	must(t, os.Mkdir("/run/lessee", 0o700))
	must(t, unix.Mount("tmpfs", "/run/lessee", "tmpfs", unix.MS_RDONLY, ""))
	h := HostName{b.place(nil)}
	var note *NoteError
	if err := h.Set("eth0", Name{Name: "box"}); !errors.As(err, &note) || !errors.Is(err, unix.EROFS) {
		t.Errorf("%v", err)
	}
	b.called("all the same", "localhost")
	must(t, unix.Unmount("/run/lessee", 0))
	must(t, h.Set("eth0", Name{Name: "box"}))
	b.called("once there is room", "box")
}

func TestBrokenNotesAreSetAside(t *testing.T) {
	b := newBox(t)
	b.put("/run/lessee/hostname.json", "{")
	h := HostName{b.place(nil)}
	must(t, h.Set("eth0", Name{Name: "box"}))
	b.called("all the same", "box")
	if text, err := os.ReadFile("/run/lessee/hostname.json.broken"); err != nil || string(text) != "{" {
		t.Errorf("set aside: %q, %v", text, err)
	}
}

func TestB16NamesThatNoHostShouldHave(t *testing.T) {
	for name, why := range map[string]string{
		"box": "", "box-1": "", "b_x": "", "1und1": "", "0xyz": "", strings.Repeat("a", 63): "",
		"": "0 bytes", ".": `'.'`, "a\nb": `'\n'`, `a"b`: `'"'`, "a'b": `'\''`, "$(id)": `'$'`, "a b": `' '`, "a;b": `';'`, "\x1b[2J": `'\x1b'`, "bücher": `'Ã'`,
		strings.Repeat("a", 64): "64 bytes", strings.Repeat("a", 300): "300 bytes",
		"-f": "hyphen", "box-": "hyphen", "localhost": "have none", "LocalHost": "have none",
		"12345": "number", "0x7f000001": "number", "0XAB": "number",
	} {
		if got := BadName(name); got != why && (why == "" || !strings.Contains(got, why)) {
			t.Errorf("%q: %q, want %q", name, got, why)
		}
	}
	for full, label := range map[string]string{"box.example.com": "box", "box": "box", "": "", ".": "", "localhost.localdomain": "localhost"} {
		if got := FirstLabel(full); got != label {
			t.Errorf("%q: %q, want %q", full, got, label)
		}
	}
}
