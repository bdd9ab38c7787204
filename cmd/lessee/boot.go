package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/cmd/lessee/kernelargs"
)

// acquire --boot is for the time before there is a root file system: it gets
// leases on all links that may lead to a network, side by side, and relies on
// little. Who calls it has mounted /run, perhaps /proc, and nothing else; there
// is no configuration file, /etc may not be writable, and the wall clock may
// show anything.

// bootFlags are those that mean something at boot alone.
func bootFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "boot", Usage: "configure all suitable links side by side, or those that IFACE names, which may be several and patterns"},
		&cli.StringFlag{Name: "boot-wait", Value: "first", Usage: "with --boot: until the `first` link is bound and all others are as they were, or all that have a carrier are bound"},
		&cli.StringFlag{Name: "kernel-args", Value: "/proc/cmdline", Usage: "with --boot: follow the kernel's command line in `FILE` (ip=, BOOTIF=, nameserver=, rd.net...), which flags win over; none follows none"},
		&cli.StringFlag{Name: "net-conf-dir", Value: "/run", Usage: "with --boot: tell scripts what is configured in net-IFACE.conf in `DIR`, as klibc's ipconfig does; none tells nobody"},
	}
}

// withoutBoot refuses flags that mean nothing without --boot.
func withoutBoot(do cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		for _, f := range bootFlags()[1:] {
			if name := f.Names()[0]; c.IsSet(name) {
				return &usageError{fmt.Sprintf("--%s means nothing without --boot", name), fmt.Sprintf("lessee acquire --boot --%s %s", name, c.String(name))}
			}
		}
		return do(c)
	}
}

// acquireAtBoot reads what is wanted, and does it.
func acquireAtBoot(c *cli.Context) error {
	for _, name := range []string{"dry-run", "no-apply", "trace", "trace-options", "pcap"} {
		if c.IsSet(name) {
			return &usageError{fmt.Sprintf("--%s is for one link, and not with --boot", name), "lessee acquire --boot"}
		}
	}
	b, err := newBoot(&flagReader{c: c})
	if err != nil {
		return err
	}
	if err := capable(true); err != nil {
		return b.print(nil, err)
	}
	if len(b.wants) == 0 && !b.args.Asked() {
		return b.nothing()
	}
	return b.run(c.Context)
}

// A boot is one run of acquire --boot.
type boot struct {
	*settings // but for what concerns one link
	reader    *flagReader
	file      *config.File
	flags     config.Flags

	wants   []config.Pattern // of the command line; none: the kernel's decides
	args    *kernelargs.Args
	all     bool          // that have a carrier are waited for
	carrier time.Duration // how long a link's carrier is waited for before the end waits no longer
	confDir string        // "": scripts are told nothing

	tries   map[int]*bootTry // by the links' indexes
	unfit   map[string]error // why links that are named are not tried
	ended   chan *bootTry
	running int
	won     chan struct{} // holds a value until the first link is bound
	bound   []document
	failed  []failedLink
}

// carrierWait is how long a link without a carrier delays the end. Links of
// copper negotiate for up to 4 s, and some switches let nobody through for a
// while after that; 10 s is dracut's time too.
const carrierWait = 10 * time.Second

// newBoot reads flags, file and kernel's command line.
func newBoot(r *flagReader) (*boot, error) {
	b := &boot{
		settings: r.common(), reader: r, file: r.file(), tries: map[int]*bootTry{}, unfit: map[string]error{}, ended: make(chan *bootTry), won: make(chan struct{}, 1),
		all: r.oneOf("boot-wait", "first", "all") == "all", carrier: carrierWait,
	}
	b.won <- struct{}{}
	if r.err != nil {
		return nil, r.err
	}
	b.flags = r.given()
	r.configure(b.settings, b.file, b.flags) // so that what is wrong is found before there are links
	b.quiet = true
	b.rememberInRun()
	if b.confDir = r.c.String("net-conf-dir"); b.confDir == "none" {
		b.confDir = ""
	}
	for _, text := range r.c.Args().Slice() {
		p, err := config.ParsePattern(text)
		if err == nil && p.Namespace() != "" {
			err = errors.New("at boot there are no namespaces")
		}
		if err != nil && r.err == nil {
			r.err = &usageError{fmt.Sprintf("interface %q: %v", text, err), "lessee acquire --boot 'en*'"}
		}
		b.wants = append(b.wants, p)
	}
	if r.err != nil {
		return nil, r.err
	}
	return b, b.readKernelArgs()
}

// rememberInRun keeps leases beside the record of what is done, unless file or
// flags say where.
func (b *boot) rememberInRun() {
	values, err := b.file.AgentValues(b.flags)
	i := slices.IndexFunc(values, func(v config.Value) bool { return v.Name == "state-dir" })
	if err == nil && i >= 0 && values[i].Origin == (config.Origin{}) {
		b.stateDir = bootDir(b.runDir)
	}
}

// readKernelArgs reads the kernel's command line. One that cannot be read, as
// when proc is not mounted, says nothing.
func (b *boot) readKernelArgs() error {
	b.args = &kernelargs.Args{}
	path := b.reader.c.String("kernel-args")
	if path == "none" {
		return nil
	}
	line, err := os.ReadFile(path)
	if err != nil {
		if b.reader.c.IsSet("kernel-args") {
			return fmt.Errorf("the kernel's command line: %w", err)
		}
		b.log.Warn("the kernel's command line is not followed", "error", err)
		return nil
	}
	b.args = kernelargs.Parse(string(line))
	for _, n := range b.args.Notices {
		b.log.Warn("of the kernel's command line is not followed", "file", path, "text", n)
	}
	if b.args.Unclear && !b.args.Asked() && len(b.wants) == 0 {
		return &usageError{fmt.Sprintf("%s: %s", path, b.notices()), "ip=dhcp on the kernel's command line"}
	}
	if !b.reader.has("boot-wait") && b.args.First {
		b.all = false
	}
	if b.args.Carrier > 0 {
		b.carrier = b.args.Carrier
	}
	if b.args.Timeout > 0 && !b.reader.has("timeout") {
		b.timeout = b.args.Timeout * time.Duration(max(1, b.args.Retry))
	}
	return nil
}

// notices are what of the kernel's command line is not followed, in one line.
func (b *boot) notices() string {
	var text []string
	for _, n := range b.args.Notices {
		text = append(text, n.String())
	}
	return strings.Join(text, "; ")
}

// nothing tells that the kernel's command line wants no DHCP.
func (b *boot) nothing() error {
	why := "ip= asks for no DHCP"
	if b.args.NoNet {
		why = "no network is needed (rd.neednet=0)"
	}
	d := document{Result: "nothing", Notes: []string{"the kernel's command line: " + why}}
	for _, n := range b.args.Notices {
		d.Notes = append(d.Notes, n.String())
	}
	return b.settings.print(d)
}

// run gets leases until there are enough of them, or the time is over, or ctx
// ends.
func (b *boot) run(ctx context.Context) error {
	bounded, cancel := within(ctx, b.timeout)
	defer cancel()
	err := b.conduct(bounded, cancel)
	if err == nil {
		err = b.verdict(context.Cause(ctx))
	}
	return b.print(b.bound, err)
}
