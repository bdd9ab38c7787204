package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf/atomicfile"
)

// A scripted is a link that a script configures: one that writes down what it is
// called for, and fails for the reasons in the file "fails".
type scripted struct {
	*bench
	cfg ScriptConfig
	now time.Time
}

func newScripted(t *testing.T, style Style) *scripted {
	h := &scripted{bench: newBench(t), now: start}
	h.cfg = ScriptConfig{
		Style: style, Limit: time.Minute, Link: "eth0", Key: "eth0", Index: 7, RunDir: filepath.Join(t.TempDir(), "run"),
		Now: func() time.Time { return h.now },
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	h.cfg.Script = h.script("script")
	return h
}

func (h *scripted) script(name string) string {
	return h.hook(name, `
why="${reason-}${1-}"
echo "`+name+` $why ${old_ip_address-}>${new_ip_address-}${ip-}" >> $OUT/said
case " $(cat $OUT/fails 2>/dev/null) " in *" $why "*) echo "$why fails"; exit 4;; esac`)
}

func (h *scripted) open() *Script {
	h.t.Helper()
	s, err := OpenScript(h.cfg)
	mustDo(h.t, err)
	return s
}

// said checks what scripts were called for since the last time.
func (h *scripted) said(want ...string) {
	h.t.Helper()
	got := strings.TrimSpace(h.wrote("said"))
	if err := os.Remove(filepath.Join(h.out, "said")); err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	if got != strings.Join(want, "\n") {
		h.t.Errorf("called for %q, want %q", got, want)
	}
}

func (h *scripted) fails(reasons string) {
	h.t.Helper()
	mustDo(h.t, os.WriteFile(filepath.Join(h.out, "fails"), []byte(reasons), 0o644))
}

// recorded tells whether there is a record.
func (h *scripted) recorded() bool {
	_, err := os.Stat(recordPath(h.cfg.RunDir, h.cfg.Key))
	return err == nil
}

var ctx = context.Background()

func other() lease.Lease { return *leaseOf("192.0.2.99", sampleOptions...) }

func TestALifeByAScript(t *testing.T) {
	for style, want := range map[Style][]string{
		DHClient: {
			"script PREINIT >", "script BOUND >192.0.2.77", "script RENEW 192.0.2.77>192.0.2.77", "script REBIND 192.0.2.77>192.0.2.99",
			"script REBOOT >192.0.2.99", "script FAIL >", "script RELEASE 192.0.2.99>",
		},
		UDHCPC: {
			"script deconfig >", "script bound >192.0.2.77", "script renew >192.0.2.77", "script renew >192.0.2.99",
			"script bound >192.0.2.99", "script nak >", "script leasefail >", "script deconfig >",
		},
	} {
		t.Run(string(style), func(t *testing.T) {
			h := newScripted(t, style)
			s := h.open()
			mustDo(t, s.Begin())
			for _, step := range []struct {
				why Reason
				l   lease.Lease
			}{{ReasonBound, *sampleLease()}, {ReasonRenew, *sampleLease()}, {ReasonRebind, other()}, {ReasonReboot, other()}} {
				s.Expect(step.why, ReasonStop)
				mustDo(t, s.Apply(ctx, step.l))
				if !s.Holds(step.l) || !h.recorded() {
					t.Errorf("after %s: holds %v, recorded %v", step.why, s.Holds(step.l), h.recorded())
				}
			}
			s.Tell(ReasonNAK, "")
			s.Tell(ReasonFail, "")
			s.Expect("", ReasonRelease)
			mustDo(t, s.Withdraw(ctx, other()))
			mustDo(t, s.Withdraw(ctx, other())) // it is gone already
			if s.Leftover() || h.recorded() {
				t.Error("something is left")
			}
			h.said(want...)
		})
	}
}

func TestWhatHasExpiredIsTakenAwayAsSuch(t *testing.T) {
	h := newScripted(t, DHClient)
	s := h.open()
	mustDo(t, s.Apply(ctx, *sampleLease()))
	h.now = start.Add(time.Hour)
	mustDo(t, s.Withdraw(ctx, *sampleLease()))
	h.said("script BOUND >192.0.2.77", "script EXPIRE 192.0.2.77>")
}

func TestAScriptThatFailsLeavesNothing(t *testing.T) {
	h := newScripted(t, DHClient)
	s := h.open()
	h.fails("BOUND")
	var failed *ScriptError
	if err := s.Apply(ctx, *sampleLease()); !errors.As(err, &failed) || failed.Reason != ReasonBound || !strings.Contains(err.Error(), "exit status 4") {
		t.Error(err)
	}
	if s.Leftover() || h.recorded() {
		t.Error("something is left")
	}
	h.said("script BOUND >192.0.2.77", "script STOP 192.0.2.77>")
	h.logged(1, `output="BOUND fails"`)
}

func TestARenewalThatFailsKeepsWhatThereIs(t *testing.T) {
	h := newScripted(t, DHClient)
	s := h.open()
	mustDo(t, s.Apply(ctx, *sampleLease()))
	h.fails("RENEW")
	s.Expect(ReasonRenew, "")
	if err := s.Apply(ctx, *sampleLease()); err == nil {
		t.Error("nobody noticed")
	}
	if !s.Holds(*sampleLease()) || !h.recorded() {
		t.Error("the lease is not known any more")
	}
	h.said("script BOUND >192.0.2.77", "script RENEW 192.0.2.77>192.0.2.77")
	if err := s.Apply(ctx, other()); err == nil {
		t.Error("nobody noticed")
	}
	h.said("script RENEW 192.0.2.77>192.0.2.99", "script STOP 192.0.2.99>") // which of the two is there nobody knows
}

func TestTheNextProcessTakesOverOrUndoes(t *testing.T) {
	dead := func(t *testing.T) *scripted { // somebody was killed when all was configured
		h := newScripted(t, DHClient)
		mustDo(t, h.open().Apply(ctx, *sampleLease()))
		h.said("script BOUND >192.0.2.77")
		return h
	}
	t.Run("takes over without a gap", func(t *testing.T) {
		h := dead(t)
		s := h.open()
		mustDo(t, s.Begin())
		if !s.Holds(*sampleLease()) || s.Holds(other()) {
			t.Error("it does not know what it has")
		}
		h.said() // PREINIT might take it off
		mustDo(t, s.Withdraw(ctx, lease.Lease{}))
		h.said("script STOP 192.0.2.77>")
	})
	t.Run("with another script", func(t *testing.T) {
		h := dead(t)
		h.cfg.Script = h.script("another")
		s := h.open()
		if s.Holds(*sampleLease()) || !s.Leftover() {
			t.Error("it takes for its own what another script did")
		}
		mustDo(t, s.Begin())
		h.said("script STOP 192.0.2.77>", "another PREINIT >")
	})
	t.Run("without a script", func(t *testing.T) {
		h := dead(t)
		h.cfg.Style, h.cfg.Script = "", ""
		s := h.open()
		if s.Holds(*sampleLease()) || !s.Leftover() || s.Configures() {
			t.Error("it takes for its own what a script did")
		}
		mustDo(t, s.Begin())
		h.said("script STOP 192.0.2.77>")
		if s.Leftover() || h.recorded() {
			t.Error("something is left")
		}
	})
	t.Run("when the script is gone", func(t *testing.T) {
		h := dead(t)
		mustDo(t, os.Remove(h.cfg.Script))
		h.cfg.Style, h.cfg.Script = "", ""
		s := h.open()
		mustDo(t, s.Begin())
		h.logged(1, "undo what another script did")
		if s.Leftover() || h.recorded() {
			t.Error("it will be asked for ever")
		}
	})
	t.Run("on a link of the same name that is another one", func(t *testing.T) {
		h := dead(t)
		h.cfg.Index++
		if h.open().Leftover() {
			t.Error("it thinks that there is something")
		}
	})
	t.Run("after another boot, which has nothing of it", func(t *testing.T) {
		h := dead(t)
		path := recordPath(h.cfg.RunDir, h.cfg.Key)
		text, err := os.ReadFile(path)
		mustDo(t, err)
		mustDo(t, os.WriteFile(path, bytes.Replace(text, []byte(atomicfile.BootID()), []byte("00000000-0000-0000-0000-000000000000"), 1), 0o600))
		if h.open().Leftover() {
			t.Error("it thinks that there is something")
		}
	})
	t.Run("with a record that nobody can read", func(t *testing.T) {
		h := dead(t)
		mustDo(t, os.WriteFile(recordPath(h.cfg.RunDir, h.cfg.Key), []byte("{"), 0o600))
		if h.open().Leftover() {
			t.Error("it thinks that there is something")
		}
		h.logged(1, "what a script did before is not known")
	})
}

func TestTheRecordIsWrittenBeforeTheScriptIsCalled(t *testing.T) {
	h := newScripted(t, DHClient)
	h.cfg.Script = h.hook("script", fmt.Sprintf(`[ -e %s ] && echo there >> $OUT/said; exit 0`, recordPath(h.cfg.RunDir, h.cfg.Key)))
	mustDo(t, h.open().Apply(ctx, *sampleLease()))
	h.said("there")
}

func TestAScriptThatOthersMayWriteToIsNotCalled(t *testing.T) {
	h := newScripted(t, DHClient)
	mustDo(t, os.Chmod(h.cfg.Script, 0o777))
	s := h.open()
	if err := s.Begin(); err == nil || !strings.Contains(err.Error(), "writable by others") {
		t.Error(err)
	}
	if err := s.Apply(ctx, *sampleLease()); err == nil {
		t.Error("it is called")
	}
	h.said()
}

func TestAScriptThatHangsIsEndedAndWhatItMayHaveDoneIsNotForgotten(t *testing.T) {
	h := newScripted(t, DHClient)
	h.cfg.Limit = short
	h.cfg.Script = h.hook("script", `exec sleep 1000`)
	s := h.open()
	if err := s.Apply(ctx, *sampleLease()); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
	if !s.Leftover() || !h.recorded() { // it did not take it away either
		t.Error("nobody will undo it")
	}
}

func TestALinkWhoseNameNoScriptMayHear(t *testing.T) {
	h := newScripted(t, DHClient)
	for _, name := range []string{"eth0;reboot", "-rf", "$(id)"} {
		h.cfg.Link = name
		if _, err := OpenScript(h.cfg); err == nil {
			t.Errorf("%q is handed on", name)
		}
	}
}

func TestARunDirectoryThatCannotBeWrittenToIsNoReasonToFail(t *testing.T) {
	h := newScripted(t, DHClient)
	mustDo(t, os.WriteFile(h.cfg.RunDir, nil, 0o644)) // a file in its place
	s := h.open()
	mustDo(t, s.Apply(ctx, *sampleLease()))
	if !s.Holds(*sampleLease()) {
		t.Error("it does not know what it has")
	}
	mustDo(t, s.Withdraw(ctx, *sampleLease()))
	h.said("script BOUND >192.0.2.77", "script STOP 192.0.2.77>")
}

func TestWhyToTakeAwayIsForgottenWithTheNextLease(t *testing.T) {
	h := newScripted(t, DHClient)
	s := h.open()
	s.Expect(ReasonBound, ReasonExpire) // a DHCPNAK before there was anything
	mustDo(t, s.Apply(ctx, *sampleLease()))
	mustDo(t, s.Withdraw(ctx, *sampleLease()))
	h.said("script BOUND >192.0.2.77", "script STOP 192.0.2.77>")
}

func TestALinkThatGetsAnotherNameKeepsItsRecord(t *testing.T) {
	h := newScripted(t, DHClient)
	mustDo(t, RenameRecord(h.cfg.RunDir, "eth0", "wan0")) // there is none
	mustDo(t, h.open().Apply(ctx, *sampleLease()))
	mustDo(t, RenameRecord(h.cfg.RunDir, "eth0", "wan0"))
	h.cfg.Key, h.cfg.Link = "wan0", "wan0"
	if !h.open().Holds(*sampleLease()) {
		t.Error("nobody knows what is configured")
	}
}
