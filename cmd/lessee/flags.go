package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/cmd/lessee/config"
)

// The flags, by what they are about. Every command takes the groups that mean
// something to it. What may stand in the configuration file too comes from the
// table of settings.

func outputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "format", Value: "text", Usage: "of what is printed: `text`, json, or env (lines that a POSIX shell can eval)"},
		&cli.StringFlag{Name: "log-level", Value: "warn", Usage: "error, `warn`, info or debug; debug shows every packet, and why one was dropped"},
		&cli.StringFlag{Name: "log-format", Value: "text", Usage: "`text` or json"},
		&cli.BoolFlag{Name: "trace", Usage: "draw the exchange as it happens"},
		&cli.BoolFlag{Name: "trace-options", Usage: "with --trace: every message in full"},
		&cli.StringFlag{Name: "pcap", Usage: "keep all packets in `FILE`, for Wireshark"},
	}
}

func waitFlags(timeout time.Duration) []cli.Flag {
	return []cli.Flag{
		&cli.DurationFlag{Name: "timeout", Value: timeout, Usage: "for all together"},
	}
}

func configFlag() cli.Flag {
	return &cli.StringFlag{Name: "config", Value: config.DefaultPath, Usage: "read settings from `FILE`, which flags win over; none reads no file"}
}

func stateFlags() []cli.Flag    { return append(agentFlags("state-dir", "run-dir"), configFlag()) }
func identityFlags() []cli.Flag { return linkFlags(config.Identity) }
func choiceFlags() []cli.Flag   { return linkFlags(config.Choice) }
func gettingFlags() []cli.Flag  { return linkFlags(config.Getting) }
func hostFlags() []cli.Flag     { return linkFlags(config.Host) }
func overrideFlags() []cli.Flag { return linkFlags(config.Override) }

// linkFlags makes flags of the settings of links, by group.
func linkFlags(groups ...config.Group) (flags []cli.Flag) {
	for _, s := range config.LinkSettings() {
		if slices.Contains(groups, s.Group) {
			flags = append(flags, flagsOf(s)...)
		}
	}
	return flags
}

// agentFlags makes flags of the settings of the agent, by name; of all if none
// is named.
func agentFlags(names ...string) (flags []cli.Flag) {
	for _, s := range config.AgentSettings() {
		if len(names) == 0 || slices.Contains(names, s.Name) {
			flags = append(flags, flagsOf(s)...)
		}
	}
	return flags
}

// flagsOf makes the flag of a setting. One that is on by itself has a second
// one to turn it off.
func flagsOf(s config.Setting) []cli.Flag {
	switch s.Kind {
	case config.Bool:
		on := s.Default[0] == "true"
		flags := []cli.Flag{&cli.BoolFlag{Name: s.Name, Value: on, Usage: s.Usage}}
		if on {
			flags = append(flags, &cli.BoolFlag{Name: "no-" + s.Name, Usage: "the same as --" + s.Name + "=false"})
		}
		return flags
	case config.List, config.Table:
		return []cli.Flag{&cli.StringSliceFlag{Name: s.Name, Usage: s.Usage}}
	}
	return []cli.Flag{&cli.StringFlag{Name: s.Name, Value: s.Default[0], Usage: s.Usage}}
}

// given are the settings that stand on the command line.
func (r *flagReader) given() config.Flags {
	flags := config.Flags{}
	given := map[string]bool{}
	for _, name := range r.c.LocalFlagNames() {
		given[name] = true
	}
	for _, s := range append(config.LinkSettings(), config.AgentSettings()...) {
		no := "no-" + s.Name // turns one off, of those that are on by themselves
		switch {
		case s.Kind != config.Bool:
			if given[s.Name] {
				flags[s.Name] = config.Flag{Flag: s.Name, Values: r.values(s)}
			}
		case given[no] && given[s.Name]:
			if r.err == nil {
				r.err = &usageError{fmt.Sprintf("--%s and --%s contradict each other", s.Name, no), r.line(no, "")}
			}
		case given[no]:
			flags[s.Name] = config.Flag{Flag: no, Values: []string{strconv.FormatBool(!r.c.Bool(no))}}
		case given[s.Name]:
			flags[s.Name] = config.Flag{Flag: s.Name, Values: r.values(s)}
		}
	}
	return flags
}

// has reports whether a flag of the command was given.
func (r *flagReader) has(flag string) bool { return has(r.c, flag) && r.c.IsSet(flag) }

// values are what the flag of a setting says.
func (r *flagReader) values(s config.Setting) []string {
	switch s.Kind {
	case config.Bool:
		return []string{strconv.FormatBool(r.c.Bool(s.Name))}
	case config.List, config.Table:
		return elements(s, r.c.StringSlice(s.Name))
	}
	return []string{r.c.String(s.Name)}
}

// elements parts what stands between commas, where no element can have one.
func elements(s config.Setting, values []string) (out []string) {
	if !s.Commas {
		return values
	}
	for _, v := range values {
		out = append(out, strings.Split(v, ",")...)
	}
	return out
}

// has reports whether the command has the flag at all.
func has(c *cli.Context, flag string) bool {
	return slices.ContainsFunc(c.Command.Flags, func(f cli.Flag) bool { return nameOf(f) == flag })
}

// nameOf is a flag's first name. The library's Names runs a regular expression
// over all of them, each time; with the flags that there are, that took a tenth
// of the time to a lease.
func nameOf(f cli.Flag) string {
	switch f := f.(type) {
	case *cli.StringFlag:
		return f.Name
	case *cli.BoolFlag:
		return f.Name
	case *cli.StringSliceFlag:
		return f.Name
	case *cli.DurationFlag:
		return f.Name
	}
	return f.Names()[0]
}

func join(groups ...[]cli.Flag) (all []cli.Flag) {
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}
