package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/arpcheck"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
)

// settings are the flags of a command, read and checked.
type settings struct {
	link    string
	command string

	format    string
	log       *slog.Logger
	trace     bool
	traceFull bool
	pcap      string
	timeout   time.Duration

	stateDir, runDir string

	clientID string
	machine  machine.Config // Link, ClientID and Rand are still open

	dryRun, noApply bool
	probe           arpcheck.Mode
	metric          int
	resolvConf      string
	msRoutes, noMTU bool
}

// A flagReader reads flags and remembers the first one that is wrong.
type flagReader struct {
	c   *cli.Context
	err error
}

// bad notes that a flag's value is wrong, with a line that would have worked.
func (r *flagReader) bad(flag, value string, err error, example string) {
	if r.err == nil {
		r.err = &usageError{
			fmt.Sprintf("--%s %s: %v", flag, value, err),
			fmt.Sprintf("lessee %s %s --%s %s", r.c.Command.Name, r.c.Args().First(), flag, example),
		}
	}
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

// readSettings reads all flags that the command has; others are at their zero
// value.
func readSettings(c *cli.Context) (*settings, error) {
	r := &flagReader{c: c}
	s := &settings{
		link: c.Args().First(), command: c.Command.Name,
		format: r.oneOf("format", "text", "json", "env"),
		trace:  c.Bool("trace") || c.Bool("trace-options"), traceFull: c.Bool("trace-options"),
		pcap: c.String("pcap"), timeout: c.Duration("timeout"),
		stateDir: c.String("state-dir"), runDir: c.String("run-dir"),
		dryRun: c.Bool("dry-run"), noApply: c.Bool("no-apply"),
		metric: c.Int("metric"), resolvConf: c.String("resolv-conf"),
		msRoutes: c.Bool("ms-routes"), noMTU: c.Bool("no-mtu"),
	}
	if why := badLinkName(s.link); why != "" && r.err == nil {
		r.err = &usageError{fmt.Sprintf("interface %q: %s", s.link, why), fmt.Sprintf("lessee %s %s", s.command, someLink())}
	}
	if s.timeout <= 0 {
		r.bad("timeout", s.timeout.String(), fmt.Errorf("want more than nothing"), "1m")
	}
	if s.metric < 0 {
		r.bad("metric", strconv.Itoa(s.metric), fmt.Errorf("want 0 or more"), "100")
	}
	s.log = r.logger()
	if has(c, "probe") {
		var err error
		if s.probe, err = arpcheck.ParseMode(c.String("probe")); err != nil {
			r.bad("probe", c.String("probe"), err, "fast")
		}
	}
	r.readMachine(s)
	return s, r.err
}

// has reports whether the command has the flag at all.
func has(c *cli.Context, flag string) bool {
	for _, f := range c.Command.Flags {
		if f.Names()[0] == flag {
			return true
		}
	}
	return false
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

// readMachine reads what the client says and how it chooses.
func (r *flagReader) readMachine(s *settings) {
	c, m := r.c, &s.machine
	s.clientID = c.String("client-id")
	m.HostName = r.hostName()
	m.VendorClass = c.String("vendor-class")
	for _, class := range c.StringSlice("user-class") {
		m.UserClass = append(m.UserClass, []byte(class))
	}
	m.Link.Broadcast = c.Bool("broadcast")
	m.Options = r.options()
	m.Parameters = machine.DefaultParameters()
	for _, name := range c.StringSlice("request") {
		m.Parameters = append(m.Parameters, r.code("request", name))
	}
	if s.msRoutes {
		m.Parameters = append(m.Parameters, dhcp4.MSRoutes.Code)
	}
	if v := c.String("request-address"); v != "" {
		m.RequestAddr = r.addr("request-address", v)
	}
	if v := c.String("lease-time"); v != "" {
		var err error
		if m.LeaseTime, err = dhcp4.ParseLifetime(v); err != nil || m.LeaseTime == 0 {
			r.bad("lease-time", v, fmt.Errorf("want a time above 0"), "1h")
		}
	}
	for _, name := range c.StringSlice("require") {
		m.Require = append(m.Require, r.code("require", name))
	}
	m.Allow = r.prefixes("allow-server")
	m.Deny = r.prefixes("deny-server")
	m.OfferWait = machine.AutoOfferWait
	if has(c, "offer-wait") && c.IsSet("offer-wait") {
		m.OfferWait = c.Duration("offer-wait")
	}
	if has(c, "wait") {
		m.OfferWait = c.Duration("wait")
	}
	if m.OfferWait < 0 && m.OfferWait != machine.AutoOfferWait {
		r.bad("offer-wait", m.OfferWait.String(), fmt.Errorf("want 0 or more"), "500ms")
	}
	m.InitialDelay = c.Duration("initial-delay")
	if has(c, "no-server") {
		m.NoServerFail = r.oneOf("no-server", "use", "fail") == "fail"
		// A short time-out leaves time to fall back on what is remembered.
		m.NoServerAfter = min(8*time.Second, s.timeout/2)
	}
}

// hostName is what option 12 says: nothing if this host has no name of its
// own.
func (r *flagReader) hostName() string {
	name := r.c.String("hostname")
	if name == "none" || !has(r.c, "hostname") {
		return ""
	}
	given := name != ""
	if !given {
		var err error
		if name, err = os.Hostname(); err != nil {
			return ""
		}
		name, _, _ = strings.Cut(name, ".")
	}
	var o dhcp4.Options
	if err := dhcp4.HostName.Put(&o, name); err != nil {
		if given {
			r.bad("hostname", name, err, "host-1")
		}
		return ""
	}
	if !given && name == "localhost" {
		return ""
	}
	return name
}

// options reads --option NAME=VALUE.
func (r *flagReader) options() (o dhcp4.Options) {
	for _, text := range r.c.StringSlice("option") {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			r.bad("option", text, fmt.Errorf("want NAME=VALUE"), "vendor-class-identifier=me")
			continue
		}
		code := r.code("option", name)
		if err := dhcp4.Sendable(code); err != nil {
			r.bad("option", text, err, "vendor-class-identifier=me")
			continue
		}
		v, err := parseOption(code, value)
		if err != nil {
			r.bad("option", text, err, "vendor-class-identifier=me")
			continue
		}
		o.Put(code, v)
	}
	return o
}

// parseOption reads an option's value: by its form if it is known, and as
// hexadecimal digits if it is not or if it begins with 0x.
func parseOption(code dhcp4.Code, value string) ([]byte, error) {
	if spec, known := dhcp4.ByCode(code); known && !strings.HasPrefix(value, "0x") {
		return spec.Parse(value)
	}
	return dhcp4.VendorSpecific.Parse(value)
}

// code reads an option's name or number.
func (r *flagReader) code(flag, name string) dhcp4.Code {
	if spec, ok := dhcp4.ByName(name); ok {
		return spec.OptionCode()
	}
	n, err := strconv.ParseUint(name, 10, 8)
	if err != nil || n == 0 || n == 255 {
		r.bad(flag, name, fmt.Errorf("no option of that name or number (lessee options lists them)"), "routers")
		return 0
	}
	return dhcp4.Code(n)
}

func (r *flagReader) addr(flag, text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		r.bad(flag, text, fmt.Errorf("want an IPv4 address"), "192.0.2.1")
		return netip.Addr{}
	}
	return a
}

func (r *flagReader) prefixes(flag string) (out []netip.Prefix) {
	for _, text := range r.c.StringSlice(flag) {
		if p, err := netip.ParsePrefix(text); err == nil && p.Addr().Is4() {
			out = append(out, p.Masked())
			continue
		}
		if a := r.addr(flag, text); a.IsValid() {
			out = append(out, netip.PrefixFrom(a, 32))
		}
	}
	return out
}

// badLinkName tells why the kernel has no link of that name.
func badLinkName(name string) string {
	switch {
	case name == "" || name == "." || name == "..":
		return "not a name"
	case len(name) > 127: // alternative names; the kernel's own have 15
		return "too long for a name"
	case strings.ContainsAny(name, "/: \t\n\x00"):
		return "a character that names cannot have"
	}
	return ""
}
