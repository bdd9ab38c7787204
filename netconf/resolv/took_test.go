package resolv

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/nettest"
)

// nobodys makes a resolv.conf that nobody manages, on a host with openresolv.
func (r *rig) nobodys(prepare func() error) {
	r.t.Helper()
	r.Resolvconf("openresolv")
	r.Run("resolvconf", "-d", "lan9.operator")
	must(r.t, errors.Join(os.RemoveAll(Usual), os.RemoveAll(kept), prepare()))
}

// there is all that has to do with resolv.conf.
func (r *rig) there() string {
	r.t.Helper()
	return r.State() + r.Run("sh", "-c", "stat -c '%n %A %U' /etc/resolv.conf* 2>/dev/null || true")
}

func TestAFileThatOpenresolvIsToldToTakeOverIsGivenBackWhereverAProcessDies(t *testing.T) {
	for name, prepare := range map[string]func() error{
		"a file":         func() error { return os.WriteFile(Usual, []byte(operators), 0o640) },
		"no newline":     func() error { return os.WriteFile(Usual, []byte("nameserver 203.0.113.53"), 0o644) },
		"empty lines":    func() error { return os.WriteFile(Usual, []byte(operators+"\n\n"), 0o644) },
		"an empty file":  func() error { return os.WriteFile(Usual, nil, 0o644) },
		"nothing at all": func() error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.nobodys(prepare)
			before := r.there()
			same := func(when string) {
				t.Helper()
				if after := r.there(); after != before {
					t.Fatalf("%s: before\n%s\nafter\n%s", when, before, after)
				}
				r.unnoted(when)
			}
			b := r.program()
			must(t, errors.Join(b.Set("eth0", one.Config), b.Set("eth1", two.Config), b.Set("eth0", changed.Config), b.Unset("eth1"), b.Unset("eth0")))
			same("two links")
			for n, died := 1, name == "no newline"; died; n++ {
				died = diesAt(t, n, r.program(), func(b *Resolvconf) error { return errors.Join(b.Set("eth0", one.Config), b.Unset("eth0")) })
				must(t, r.program().Unset("eth0"))
				same(fmt.Sprintf("dead before step %d", n))
			}
		})
	}
}

func TestAFileThatOthersHaveAPartOfStaysOpenresolvs(t *testing.T) {
	r := newRig(t)
	r.nobodys(func() error { return os.WriteFile(Usual, []byte(operators), 0o640) })
	must(t, r.program().Set("eth0", one.Config))
	r.Run("sh", "-c", "echo nameserver 203.0.113.9 | resolvconf -a vpn0")
	must(t, r.program().Unset("eth0"))
	if servers, _ := r.names(); fmt.Sprint(servers) != "[203.0.113.9]" {
		t.Errorf("%q", servers)
	}
	if read(t, kept) != operators {
		t.Errorf("what openresolv keeps is %q", read(t, kept))
	}
	r.unnoted("in the end")
}

func TestADebianResolvconfWithoutAFileOfItsOwnIsSaidSo(t *testing.T) {
	r := newRig(t)
	r.Resolvconf("resolvconf")
	if _, plain := r.program().Unused("eth0", one.Config); plain != "" {
		t.Errorf("its own: %s", plain)
	}
	must(t, errors.Join(os.Remove(Usual), os.WriteFile(Usual, []byte(operators), 0o644)))
	if _, plain := r.program().Unused("eth0", one.Config); plain != "/etc/resolv.conf is no link to what Debian's resolvconf writes" {
		t.Errorf("somebody's: %q", plain)
	}
}

func TestSystemdsResolvconfIsNotTaken(t *testing.T) {
	r := newRig(t)
	r.script("")
	must(t, os.RemoveAll("/usr/sbin/resolvconf"))
	r.Overlay("/usr/bin", "")
	nettest.Executable(t, "/usr/bin/resolvectl", "#!/bin/sh\n")
	must(t, os.Symlink("/usr/bin/resolvectl", "/usr/sbin/resolvconf"))
	if err := r.program().Set("eth0", one.Config); err == nil || !strings.Contains(err.Error(), "another way to systemd-resolved") {
		t.Errorf("%v", err)
	}
	r.unnoted("in the end")
}

func TestAResolvconfThatIsGoneIsMissedOnce(t *testing.T) {
	both(t, func(t *testing.T, r *rig, _ string) {
		must(t, r.program().Set("eth0", one.Config))
		if out := r.Files("/run/resolvconf"); !strings.Contains(out, "eth0.lessee") {
			t.Fatalf("it has no record: %s", out)
		}
		r.noProgram()
		if err := r.program().Unset("eth0"); !errors.Is(err, ErrGone) {
			t.Errorf("%v", err)
		}
		if out := r.Files("/run/resolvconf"); strings.Contains(out, "eth0.lessee") {
			t.Errorf("its record is there: %s", out)
		}
		r.unnoted("gone")
		if err := r.program().Unset("eth0"); err != nil {
			t.Errorf("once more: %v", err)
		}
		if err := r.program().Set("eth0", one.Config); !errors.Is(err, errNoProgram) {
			t.Errorf("told again: %v", err)
		}
		r.unnoted("in the end")
	})
}
