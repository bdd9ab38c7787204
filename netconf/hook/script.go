package hook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf/atomicfile"
)

// ScriptConfig says which script configures a link, and how.
type ScriptConfig struct {
	Style  Style  // "": none does, but what one did in former times may have to be undone
	Script string // its path
	Limit  time.Duration
	MTU    bool // hand option 26 on

	Link   string                   // as the kernel calls it
	Key    string                   // its name among all namespaces'
	Index  int                      // its number; 0: it does not exist any more
	RunDir string                   // where is kept what a script was told to configure
	Enter  func(func() error) error // runs a function in the link's network namespace; nil: it is ours

	Now  func() time.Time          // the leases' clock
	Wall func(time.Time) time.Time // an instant of that clock as the host's clock shows it; nil: they are one
	Log  *slog.Logger              // nil: silence
}

// A Script makes a host hold what a lease says, by a script that was made for
// another client. It is safe for concurrent use: one call of the script waits
// for the other.
type Script struct {
	cfg ScriptConfig

	mu     sync.Mutex
	record *record // what is configured, or may be; nil: nothing

	hint   sync.Mutex // guards what follows
	apply  Reason
	remove Reason
}

// A ScriptError says that a script did not do what it was called for.
type ScriptError struct {
	Script string
	Reason Reason
	Err    error
}

// Error says "script /sbin/dhclient-script, called for BOUND: exit status 1".
func (e *ScriptError) Error() string {
	return fmt.Sprintf("script %s, called for %s: %v", e.Script, e.Reason, e.Err)
}

// Unwrap returns why.
func (e *ScriptError) Unwrap() error { return e.Err }

// OpenScript reads what a script has configured on the link before. It calls
// none.
func OpenScript(cfg ScriptConfig) (*Script, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Log = cfg.Log.With("link", cfg.Key)
	if cfg.Wall == nil {
		cfg.Wall = func(t time.Time) time.Time { return t }
	}
	if cfg.Style != "" && !safe(cfg.Link) {
		return nil, fmt.Errorf("link %q: its name cannot be handed to a script", cfg.Link)
	}
	s := &Script{cfg: cfg}
	var err error
	if s.record, err = loadRecord(recordPath(cfg.RunDir, cfg.Key), cfg.Index); err != nil {
		cfg.Log.Warn("what a script did before is not known", "error", err)
	}
	return s, nil
}

// Configures reports whether a script is to configure the link.
func (s *Script) Configures() bool { return s.cfg.Style != "" }

// Path is that of the script which configures the link; "" if none does.
func (s *Script) Path() string {
	if !s.Configures() {
		return ""
	}
	return s.cfg.Script
}

// Leftover reports whether something that a script configured is on the host,
// or may be.
func (s *Script) Leftover() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record != nil
}

// Holds reports whether the script that configures the link holds l's address.
func (s *Script) Holds(l lease.Lease) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ours() && s.record.Lease.Addr == l.Addr
}

// ours reports whether what is configured was so by the script in force.
func (s *Script) ours() bool {
	return s.record != nil && s.record.Style == s.cfg.Style && s.record.Script == s.cfg.Script
}

// Expect says for what reason Apply is called from now on, and Withdraw the next
// time, unless Apply comes before it. An empty one changes nothing. It never
// waits for a script.
func (s *Script) Expect(apply, remove Reason) {
	s.hint.Lock()
	defer s.hint.Unlock()
	if apply != "" {
		s.apply = apply
	}
	if remove != "" {
		s.remove = remove
	}
}

// expected returns what Expect said. Why to take away is forgotten then.
func (s *Script) expected() (apply, remove Reason) {
	s.hint.Lock()
	defer s.hint.Unlock()
	apply, remove, s.remove = s.apply, s.remove, ""
	return apply, remove
}

// Begin undoes what another script than the one in force has configured, and
// has that one get the link ready, unless it holds a lease there already.
func (s *Script) Begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.record != nil && !s.ours() {
		s.cfg.Log.Info("another script configured this link; what it did is undone", "script", s.record.Script)
		if err := s.withdraw(ReasonStop); err != nil {
			s.cfg.Log.Warn("undo what another script did", "error", err)
			s.note(nil)
		}
	}
	if !s.Configures() || s.record != nil {
		return nil
	}
	return s.call(&call{reason: ReasonPreinit})
}

// Apply has the script configure the link. If it fails, a link that held
// nothing before is cleaned up again; one that did keeps what it has. It takes
// as long as the script may, whatever becomes of the context: a script that is
// killed half-way leaves more behind.
func (s *Script) Apply(_ context.Context, l lease.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.record
	c := &call{new: &l}
	if c.reason, _ = s.expected(); c.reason == "" || before == nil && (c.reason == ReasonRenew || c.reason == ReasonRebind) {
		c.reason = ReasonBound
	}
	if before != nil {
		c.old = before.Lease
	}
	s.note(&record{BootID: atomicfile.BootID(), Index: s.cfg.Index, Style: s.cfg.Style, Script: s.cfg.Script, Lease: &l})
	err := s.call(c)
	switch {
	case err == nil:
		return nil
	case before != nil && before.Lease.Addr == l.Addr:
		s.note(before)
		return err
	}
	return errors.Join(err, s.withdraw(ReasonStop))
}

// Withdraw has the script take away what it configured; that there is nothing
// is no error.
func (s *Script) Withdraw(_ context.Context, _ lease.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, reason := s.expected()
	switch {
	case s.record != nil && !s.record.Lease.Valid(s.cfg.Now()):
		reason = ReasonExpire
	case reason == "":
		reason = ReasonStop
	}
	return s.withdraw(reason)
}

// withdraw is for whoever holds mu. A script that ran to its end is not asked
// again, whatever it thought of it.
func (s *Script) withdraw(reason Reason) error {
	r := s.record
	if r == nil {
		return nil
	}
	err := s.call(&call{style: r.Style, script: r.Script, reason: reason, old: r.Lease})
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) {
		s.note(nil)
	}
	return err
}

// Tell tells the script what concerns no lease that is configured: ReasonNAK or
// ReasonFail, and why. To dhclient's a DHCPNAK is nothing of its own.
func (s *Script) Tell(reason Reason, why string) {
	if !s.Configures() || s.cfg.Style == DHClient && reason == ReasonNAK {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(&call{reason: reason, text: why}); err != nil {
		s.cfg.Log.Warn("script", "error", err)
	}
}

// call calls the script: the one in force, unless c names another.
func (s *Script) call(c *call) error {
	if c.script == "" {
		c.style, c.script = s.cfg.Style, s.cfg.Script
	}
	c.link, c.mtu = s.cfg.Link, s.cfg.MTU
	c.old, c.new, c.now = OnClock(c.old, s.cfg.Wall), OnClock(c.new, s.cfg.Wall), s.cfg.Wall(s.cfg.Now())
	args, env := c.program()
	x := &execution{
		path: c.script, args: args, env: env, limit: s.cfg.Limit, enter: s.cfg.Enter,
		say: func(line string) { s.cfg.Log.Info("script", "reason", c.reason, "output", line) },
	}
	err := Untrusted(c.script, os.Geteuid())
	if err == nil {
		err = x.run(context.Background())
	}
	s.cfg.Log.Debug("script", "path", c.script, "reason", c.reason, "error", err)
	if err != nil {
		err = &ScriptError{c.script, c.reason, err}
	}
	return err
}

// note writes down what is configured from now on, or may be. Where that is not
// possible it is known to this process alone.
func (s *Script) note(r *record) {
	s.record = r
	if err := r.save(recordPath(s.cfg.RunDir, s.cfg.Key)); err != nil {
		s.cfg.Log.Warn("what a script does to the host cannot be written down", "error", err)
	}
}
