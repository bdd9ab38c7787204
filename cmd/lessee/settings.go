package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/netconf"
)

// settings are what a command is told to do, by its flags and the
// configuration file, read and checked.
type settings struct {
	link string

	format    string
	log       *slog.Logger
	trace     bool
	traceFull bool
	pcap      string
	timeout   time.Duration

	stateDir, runDir string

	file    *config.File
	flags   config.Flags
	conf    config.Link           // of both
	machine machine.Config        // of conf; Link, ClientID and Rand are still open
	atBoot  map[overriding]string // of conf.Policy, what the kernel's command line said

	dryRun, noApply bool
	explain         bool
	formerID        *dhcp4.ClientID // that the lease was got with; nil: the one of conf

	quiet bool // others work beside: no line of progress

	troubles []error // what went wrong with the host beside address and routes
}

// A flagReader reads flags and remembers the first one that is wrong.
type flagReader struct {
	c       *cli.Context
	command string // as it is called; "" is the name that the context has
	err     error
}

// bad notes that a flag's value is wrong, with a line that would have worked.
func (r *flagReader) bad(flag, value string, err error, example string) {
	if r.err == nil {
		r.err = &usageError{fmt.Sprintf("--%s %s: %v", flag, value, err), r.line(flag, example)}
	}
}

// line is a command line with one flag.
func (r *flagReader) line(flag, value string) string {
	line := "lessee " + cmp.Or(r.command, r.c.Command.Name)
	for _, word := range []string{r.c.Args().First(), "--" + flag, value} {
		if word != "" {
			line += " " + word
		}
	}
	return line
}

// oneOf reads a flag that has a few values only.
func (r *flagReader) oneOf(flag string, values ...string) string {
	v := r.c.String(flag)
	for _, known := range values {
		if v == known {
			return v
		}
	}
	r.bad(flag, v, fmt.Errorf("want one of %s", strings.Join(values, ", ")), values[0])
	return v
}

// readSettings reads all flags that the command has, and what the file says of
// the link. Flags that it has not are at their zero value.
func readSettings(c *cli.Context) (*settings, error) {
	r := &flagReader{c: c}
	s := r.common()
	s.link = c.Args().First()
	if why := config.BadLinkName(s.link); why != "" && r.err == nil {
		r.err = &usageError{fmt.Sprintf("interface %q: %s", s.link, why), fmt.Sprintf("lessee %s %s", c.Command.Name, someLink())}
	}
	if file := r.file(); r.err == nil {
		r.configure(s, file, r.given())
	}
	return s, r.err
}

// common reads the flags that concern no link, and no file.
func (r *flagReader) common() *settings {
	c := r.c
	s := &settings{
		format: r.oneOf("format", "text", "json", "env"),
		trace:  c.Bool("trace") || c.Bool("trace-options"), traceFull: c.Bool("trace-options"),
		pcap: c.String("pcap"), timeout: c.Duration("timeout"),
		dryRun: c.Bool("dry-run"), noApply: c.Bool("no-apply"), explain: c.Bool("explain"),
	}
	if s.timeout == 0 {
		r.bad("timeout", s.timeout.String(), fmt.Errorf("want more than nothing"), "1m")
	}
	s.log = r.logger()
	return s
}

// configure puts file and flags together, as they hold for the link.
func (r *flagReader) configure(s *settings, file *config.File, flags config.Flags) {
	s.file, s.flags = file, flags
	var err error
	s.conf, err = file.Link(kernelName(s.link), flags)
	r.explain(file.Path, err)
	agent, err := file.Agent(flags)
	r.explain(file.Path, err)
	s.stateDir, s.runDir = agent.StateDir, agent.RunDir
	s.machine = s.conf.Machine
	s.machine.HostName = s.conf.HostNameOn(hostName(s.runDir))
	s.machine.CarrierDelay = 0 // a command tells of a loss at once
	if has(r.c, "wait") {
		s.machine.OfferWait = r.c.Duration("wait")
	}
	if !has(r.c, "initial-delay") {
		s.machine.InitialDelay = 0
	}
	if has(r.c, "no-server") {
		// A short time-out leaves time to fall back on what is remembered.
		s.machine.NoServerAfter = min(8*time.Second, s.timeout/2)
	}
}

// file loads the configuration. The default file need not be there.
func (r *flagReader) file() *config.File {
	path := r.c.String("config")
	if path == "none" || r.err != nil {
		return &config.File{}
	}
	f, err := config.Load(path)
	if errors.Is(err, fs.ErrNotExist) && !r.c.IsSet("config") {
		return &config.File{}
	}
	r.explain(path, err)
	return f
}

// explain notes what is wrong with a file or with flags, and what helps.
func (r *flagReader) explain(path string, err error) {
	var m *config.Mistakes
	switch {
	case err == nil || r.err != nil:
	case errors.As(err, &m) && m.List[0].Flag != "":
		first := m.List[0]
		r.bad(first.Flag, first.Value, errors.New(first.Text), first.Example)
	default:
		r.err = &usageError{err.Error(), "lessee config check " + path}
	}
}

// kernelName is the kernel's own name of a link that may have others, for that
// is the one that the agent goes by; what is not there keeps its name.
func kernelName(name string) string {
	if l, _ := socket.LinkByName(name); l.Name != "" {
		return l.Name
	}
	return name
}

// hostName is what this host calls itself, but for a name that a lease gave it.
func hostName(runDir string) string {
	name, err := netconf.OwnHostName(netconf.Config{RunDir: runDir})
	if err != nil {
		return "" // servers need not know
	}
	return name
}

func (r *flagReader) logger() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(r.oneOf("log-level", "warn", "error", "info", "debug"))); err != nil {
		level = slog.LevelWarn // oneOf has complained
	}
	o := &slog.HandlerOptions{Level: level}
	if r.oneOf("log-format", "text", "json") == "json" {
		return slog.New(slog.NewJSONHandler(logWriter(), o))
	}
	return slog.New(slog.NewTextHandler(logWriter(), o))
}

// logWriter is standard error; on a terminal the line of progress gives way to
// the log.
func logWriter() io.Writer {
	if isTerminal(os.Stderr) {
		return clearing{os.Stderr}
	}
	return os.Stderr
}

// clearing clears the terminal's line before it writes one.
type clearing struct{ out io.Writer }

func (c clearing) Write(b []byte) (int, error) {
	_, err := c.out.Write(append([]byte("\r\033[K"), b...))
	return len(b), err
}

// addr reads an address that only a command has.
func (r *flagReader) addr(flag, text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		r.bad(flag, text, fmt.Errorf("want an IPv4 address"), "192.0.2.1")
		return netip.Addr{}
	}
	return a
}
