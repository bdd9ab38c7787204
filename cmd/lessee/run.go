package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/cmd/lessee/control"
	"github.com/lessee/lessee/cmd/lessee/metrics"
	"github.com/lessee/lessee/cmd/lessee/supervise"
	"github.com/lessee/lessee/netconf/hook"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "the agent: keep links configured until told to stop",
		ArgsUsage: "[IFACE...]",
		Description: `Keeps each link configured, from its first lease through renewals, silent
servers, pulled cables and sleep. Names may be patterns, and a link may be in
another network namespace: NAME@NETNS. Links may come and go. Without names, the
configuration file says which ("links").

   sudo lessee run eth0
   sudo lessee run 'en*' wan@blue --log-level info
   lessee status                what holds, until when
   lessee watch                 what happens, as it happens

SIGTERM stops it. What is configured then stays, and nothing is sent, so that
the next start takes over without a gap; --on-stop withdraw or release choose
otherwise. SIGHUP reads the configuration again, SIGUSR1 renews all leases,
SIGUSR2 gives them back.`,
		Flags: join(linkFlags(config.Identity, config.Choice, config.Getting, config.Host, config.Override, config.Keeping),
			agentFlags(), []cli.Flag{configFlag()}),
		Action: runAgent,
	}
}

// A service is the agent with all that belongs to it.
type service struct {
	*shared
	reader *flagReader
	links  []string // of the command line
	agent  *agent.Agent
	herald *herald
	woke   agent.Bell
	rest   *time.Timer // gives memory back
	tasks  sync.WaitGroup

	sightings chan agent.Sighting
	reloading sync.Mutex      // one at a time; guards what follows
	watched   map[string]bool // namespaces whose links are sighted
}

func runAgent(c *cli.Context) error {
	r := &flagReader{c: c}
	s := &service{reader: r, links: c.Args().Slice(), shared: &shared{now: client.BootTime()}}
	file := r.file()
	if r.err != nil {
		return r.err
	}
	var err error
	s.settings, err = file.Agent(r.given())
	r.explain(file.Path, err)
	if r.err != nil {
		return r.err
	}
	s.log = agentLog(s.settings)
	p, err := s.plan(file)
	if err != nil {
		return err
	}
	if err := s.mayKeep(p); err != nil {
		return err
	}
	return s.serve(c.Context, p)
}

// plan is what file and command line want.
func (s *service) plan(file *config.File) (*plan, error) {
	links := s.links
	if len(links) == 0 {
		a, err := file.Agent(s.reader.given())
		if err != nil {
			return nil, err
		}
		links = a.Links
	}
	if len(links) == 0 {
		return nil, &usageError{"no links to keep: name some, or say links = [...] in " + config.DefaultPath, "lessee run " + someLink()}
	}
	p, err := newPlan(s.shared, file, s.reader.given(), links)
	s.reader.explain(file.Path, err)
	return p, s.reader.err
}

// mayKeep refuses what will not work for a reason that is known at the start.
func (s *service) mayKeep(p *plan) error {
	if err := capable(true); err != nil {
		return err
	}
	for _, name := range p.Named() {
		if h, held := holderOf(s.settings.RunDir, name); held {
			return &lockedError{name, h}
		}
		var unsupported *socket.UnsupportedError
		if _, err := socket.LinkByName(name); errors.As(err, &unsupported) {
			return err
		}
	}
	return nil
}

// agentLog is where the agent's log goes.
func agentLog(a config.Agent) *slog.Logger {
	o := &slog.HandlerOptions{Level: a.LogLevel}
	switch a.LogFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	case "journal":
		return slog.New(supervise.NewJournalHandler(supervise.JournalSocket, a.LogLevel))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// serve keeps links until ctx ends, which a signal brings about.
func (s *service) serve(ctx context.Context, p *plan) error {
	manager, err := supervise.FromEnv()
	if err != nil {
		s.log.Warn("supervisor", "error", err)
	}
	socket, err := control.Listen(s.settings.Control, s.settings.ControlGroup)
	if err != nil {
		return err
	}
	s.registry = metrics.New(metrics.Config{Version: version(), Start: time.Now(), Memory: metrics.ResidentMemory})
	s.rest = time.AfterFunc(settleAfter, giveBack)
	defer s.rest.Stop()
	s.sightings, s.watched = make(chan agent.Sighting), map[string]bool{}
	s.hooks = hook.NewRunner(s.log, func(link string, _ error) { s.registry.Link(link).HookFailed() })
	s.agent = agent.New(agent.Config{
		Plan: p, Sightings: s.sightings, Now: s.now, Woke: &s.woke, Log: s.log,
		Observe:   func(link string, e client.Event) { s.registry.Observe(link, e); s.disturbed() },
		Forgotten: s.registry.Forget,
		Told:      func(e agent.Event) { s.registry.Told(e); s.herald.changed(); s.disturbed() },
	})
	s.inForce.Store(p)
	s.herald = &herald{manager: manager, when: s.settings.Ready, list: s.agent.List, log: s.log, news: make(chan struct{}, 1)}

	beside, cancel := context.WithCancel(context.WithoutCancel(ctx))
	err = s.begin(beside, socket, p)
	if err == nil {
		s.log.Info("keeping links", "links", p.wants, "control", s.settings.Control)
		s.attend(ctx, beside, manager)
	}
	if err := s.hooks.Close(hooksAtEnd); err != nil {
		s.log.Warn("the hooks of the last events were not run to their end", "error", err)
	}
	cancel()
	err = errors.Join(err, socket.Close())
	s.tasks.Wait()
	return err
}

// hooksAtEnd bounds how long the agent's end waits for hooks: supervisors have
// little patience.
const hooksAtEnd = 10 * time.Second

// begin starts everything that runs beside the agent itself.
func (s *service) begin(ctx context.Context, door net.Listener, p *plan) error {
	woke, err := client.Wakeups(ctx)
	if err != nil {
		return err
	}
	s.task(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-woke:
				s.woke.Ring()
			}
		}
	})
	s.sightAll(ctx, p)
	h := &helm{agent: s.agent, registry: s.registry, reload: func(context.Context) error { return s.reload(ctx) }}
	s.task(func() error {
		return control.Serve(ctx, door, h, control.Config{Version: version(), Log: s.log, Left: s.disturbed})
	})
	return s.beginMetrics(ctx)
}

// sightAll tells of the links of all namespaces that a plan names. One that a
// later plan does not name costs little, and is told of all the same.
func (s *service) sightAll(ctx context.Context, p *plan) {
	for _, name := range namespacesOf(p.wants) {
		if s.watched[name] {
			continue
		}
		s.watched[name] = true
		s.task(func() error { return s.sight(ctx, name, s.sightings) })
	}
}

// metricsInterval is how often the file is written: Prometheus asks each 15 to
// 60 s.
const metricsInterval = 15 * time.Second

func (s *service) beginMetrics(ctx context.Context) error {
	if path := s.settings.MetricsFile; path != "" {
		s.task(func() error {
			tick := time.NewTicker(metricsInterval)
			defer tick.Stop()
			for {
				if err := s.registry.WriteFile(path, s.agent.List()); err != nil {
					s.log.Warn("metrics", "file", path, "error", err)
				}
				select {
				case <-ctx.Done():
					return nil
				case <-tick.C:
				}
			}
		})
	}
	if addr := s.settings.MetricsListen; addr.IsValid() {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
		if err != nil {
			return fmt.Errorf("serve metrics: %w", err)
		}
		m := &metrics.Listener{Registry: s.registry, Statuses: s.agent.List}
		s.task(func() error { return m.Serve(ctx, l) })
	}
	return nil
}

// task runs f beside the agent. That it fails is no reason to give up links.
func (s *service) task(f func() error) {
	s.tasks.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				s.log.Error("a mistake in lessee; the agent goes on without a part of it", "panic", v, "stack", string(debug.Stack()))
			}
		}()
		if err := f(); err != nil {
			s.log.Error("the agent goes on without a part of it", "error", err)
		}
	})
}

// attend runs the agent and answers signals, until one ends ctx. What is begun
// beside the agent lives as long as beside.
func (s *service) attend(ctx, beside context.Context, manager *supervise.Manager) {
	hear := make(chan os.Signal, 4)
	signal.Notify(hear, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(hear)
	over := make(chan struct{})
	go func() {
		s.agent.Run(ctx)
		close(over)
	}()
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go manager.Watchdog(watch, s.alive)
	s.herald.tell()
	thrifty := time.AfterFunc(thriftAfter, func() { debug.SetGCPercent(collectEarly) })
	defer thrifty.Stop()
	for {
		select {
		case <-ctx.Done():
			s.unsupervised(manager.Stopping("letting go of the links"))
			<-over
			return
		case <-s.herald.news:
			s.herald.tell()
		case sig := <-hear:
			s.answer(beside, manager, sig)
		}
	}
}

// disturbed says that memory is needed for something, to be given back when it
// is over. It never waits.
func (s *service) disturbed() { s.rest.Reset(settleAfter) }

// alive tells whether the agent still answers.
func (s *service) alive() bool {
	s.agent.List()
	return true
}

func (s *service) unsupervised(err error) {
	if err != nil {
		s.log.Warn("the supervisor was not told", "error", err)
	}
}

// answer does what a signal asks for, beside everything else.
func (s *service) answer(ctx context.Context, manager *supervise.Manager, sig os.Signal) {
	switch sig {
	case syscall.SIGHUP:
		s.unsupervised(manager.Reloading())
		_ = s.reload(ctx) // it tells by itself
		s.unsupervised(manager.Ready(s.herald.summary()))
	case syscall.SIGUSR1:
		s.all(ctx, agent.Renew)
	case syscall.SIGUSR2:
		s.all(ctx, agent.GiveBack)
	}
}

// all gives every link a command, and waits for none.
func (s *service) all(ctx context.Context, cmd agent.Command) {
	for _, st := range s.agent.List() {
		s.task(func() error {
			if _, err := s.agent.Do(ctx, st.Link, cmd); err != nil {
				s.log.Warn(string(cmd), "link", st.Link, "error", err)
			}
			return nil
		})
	}
}

// reload reads the configuration again. If it is refused, the old one stays in
// force, which the log and the status of every link tell. What concerns the
// agent as a whole, such as its sockets, waits for the next start. The context
// is that of what is begun because of it.
func (s *service) reload(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	err := s.reloadNow(ctx)
	s.herald.refused(err)
	if err != nil {
		s.log.Error("the old configuration stays in force", "error", err)
		s.agent.Refused(err)
	}
	return err
}

func (s *service) reloadNow(ctx context.Context) error {
	path := s.reader.c.String("config")
	if path == "none" {
		return errors.New("this agent has no configuration file")
	}
	file, err := config.Load(path)
	if errors.Is(err, fs.ErrNotExist) && !s.reader.c.IsSet("config") {
		file, err = &config.File{}, nil
	}
	if err != nil {
		return err
	}
	p, err := s.plan(file)
	if err != nil {
		return err
	}
	a, err := file.Agent(s.reader.given())
	if err != nil {
		return err
	}
	a.Links = s.settings.Links
	if !a.Equal(s.settings) {
		s.log.Warn("settings of the agent as a whole have changed; they wait for its next start")
	}
	s.inForce.Store(p) // before the links are told to look
	if err := s.agent.Reload(ctx, p); err != nil {
		return err
	}
	s.sightAll(ctx, p)
	s.log.Info("reloaded", "links", p.wants)
	return nil
}
