package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/cmd/lessee/config"
)

func configCommand() *cli.Command {
	return &cli.Command{
		Name:            "config",
		Usage:           "check the configuration file, or show what holds for a link and where it comes from",
		HideHelpCommand: true,
		Description: `All commands read ` + config.DefaultPath + `, or the file that --config names.
What it says holds for all of them: "lessee renew eth0" introduces itself to the
server as the agent does. Without a file, everything has its default.

   [agent]                       # the agent as a whole
   links = ["en*", "wan@blue"]   # wan is in network namespace blue

   [defaults]                    # every link
   metric = 100

   [link."en*"]                  # links whose name fits, in this namespace
   require = ["routers"]

   [link.enp3s0]                 # one link
   metric = 50
   request-address = "192.0.2.7"

   [link.enp3s0.override]        # and what is made of what its servers send
   supersede = { domain-name = "example.org", ntp-servers = [] }
   prepend = { domain-name-servers = ["127.0.0.1"] }

Every setting is also a flag, of the same name. What is said more exactly wins:
   1. a flag on the command line
   2. of renew, rebind, release and inform: a flag of the command that got the
      lease, as long as the file says of the setting what it said then
   3. [link.NAME], the table of that link alone
   4. [link."PATTERN"], of several that fit the one that stands last in the file
   5. [defaults]
   6. the setting's own default
A list or table of options replaces the one that it wins over; nothing is added
up. "", [] and {} put a setting back to nothing. A duration is "1m30s", or a
number of seconds, here as in flags.

   lessee config check                     before the agent reloads it
   lessee config show eth0                 what holds, and why
   lessee config show eth0 --metric 5 --format json`,
		Subcommands: []*cli.Command{configCheckCommand(), configShowCommand()},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return &usageError{fmt.Sprintf("no command \"config %s\"", c.Args().First()), "lessee config check, or lessee config show " + someLink()}
			}
			return show(commandHelp(c.Command))
		},
	}
}

func configCheckCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "read the file as the agent would, and tell everything that is wrong with it",
		ArgsUsage: "[FILE]",
		Action:    configCheck,
	}
}

// configCheck prints what is wrong on standard output, for that is what was
// asked for; the exit code says whether anything is.
func configCheck(c *cli.Context) error {
	path := config.DefaultPath
	switch c.NArg() {
	case 0:
	case 1:
		path = c.Args().First()
	default:
		return &usageError{"config check takes one file", "lessee config check " + path}
	}
	_, err := config.Load(path)
	var m *config.Mistakes
	switch {
	case err == nil:
		_, err = fmt.Printf("%s: good\n", path)
		return err
	case errors.Is(err, os.ErrNotExist) && c.NArg() == 0:
		_, err = fmt.Printf("%s: there is none, so everything has its default\n", path)
		return err
	case !errors.As(err, &m):
		return &usageError{err.Error(), ""}
	}
	var b strings.Builder
	for _, one := range m.List {
		fmt.Fprintln(&b, one)
		if excerpt := m.Excerpt(one); excerpt != "" {
			fmt.Fprintln(&b, excerpt)
		}
	}
	_, err = os.Stdout.WriteString(b.String())
	return errors.Join(err, &usageError{fmt.Sprintf("%s is not followed: %s", path, count(len(m.List)+m.More, "mistake")), ""})
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func configShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print what holds for a link, there or not, and where each value comes from; without a link, what holds for the agent",
		ArgsUsage: "[IFACE]",
		Flags: join([]cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "of what is printed: `text` or json"},
			configFlag(),
		}, linkFlags(config.Identity, config.Choice, config.Getting, config.Host, config.Override, config.Keeping), agentFlags()),
		Action: configShow,
	}
}

func configShow(c *cli.Context) error {
	r := &flagReader{c: c, command: "config show"}
	format := r.oneOf("format", "text", "json")
	link := c.Args().First()
	if c.NArg() > 1 {
		return &usageError{"config show takes one interface", "lessee config show " + link}
	}
	file, flags := r.file(), r.given()
	if r.err != nil {
		return r.err
	}
	values, err := file.AgentValues(flags)
	if link != "" && err == nil {
		if p, bad := config.ParsePattern(link); bad != nil || !p.Exact() {
			return &usageError{fmt.Sprintf("interface %q: want the name of one link, or NAME@NETNS", link), "lessee config show " + someLink()}
		}
		link = kernelName(link)
		if values, err = file.LinkValues(link, flags); err == nil {
			values, err = file.LinkValues(link, recalled(file, link, flags))
		}
	}
	if r.explain(file.Path, err); r.err != nil {
		return r.err
	}
	if format == "json" {
		return showJSON(link, file.Path, values)
	}
	return showText(link, values)
}

// recalled adds to the flags what commands go by beside them that extend the
// link's lease or give it back. An agent that has the link goes by its own.
func recalled(file *config.File, link string, flags config.Flags) config.Flags {
	a, err := file.Agent(flags)
	if err != nil {
		return flags
	}
	f, known := former(a.StateDir, a.RunDir, link)
	if !known {
		return flags
	}
	if _, held := holderOf(a.RunDir, link); held {
		return flags
	}
	all, err := recall(file, link, f, flags)
	if err != nil {
		fmt.Fprintf(os.Stderr, "lessee: note: what the command was told that got the lease is not followed: %v\n", err)
	}
	return all
}

// showText prints a table that could stand in the file, and to each line where
// it comes from.
func showText(link string, values []config.Value) error {
	names, literals := 0, 0
	for _, v := range values {
		names, literals = max(names, len(v.Key())), max(literals, len(v.String()))
	}
	literals = min(literals, 32)
	var b strings.Builder
	fmt.Fprintln(&b, config.Header(link))
	for _, v := range values {
		from := v.Origin.String()
		if v.Origin.Table != "" {
			from += " " + v.Origin.Table
		}
		fmt.Fprintf(&b, "%-*s = %-*s  # %s\n", names, v.Key(), literals, v, from)
	}
	_, err := os.Stdout.WriteString(b.String())
	return err
}

// A shown value is one setting for machines.
type shownValue struct {
	Name  string `json:"name"`
	Value any    `json:"value"` // a text, or a list of texts
	From  string `json:"from"`  // default, flag, file, or lease: a flag of the command that got it
	Flag  string `json:"flag,omitempty"`
	Table string `json:"table,omitempty"` // as it stands in the file
	Line  int    `json:"line,omitempty"`
}

func showJSON(link, path string, values []config.Value) error {
	d := struct {
		Version  int          `json:"lessee"` // of this form
		Link     string       `json:"link,omitempty"`
		File     string       `json:"file,omitempty"`
		Settings []shownValue `json:"settings"`
	}{1, link, path, nil}
	for _, v := range values {
		s := shownValue{Name: v.Name, From: "default", Flag: v.Origin.Flag, Table: v.Origin.Table, Line: v.Origin.Line}
		switch {
		case v.Kind == config.List, v.Kind == config.Table:
			s.Value = append([]string{}, v.Is...) // a list, also if nothing is in it
		case v.Kind == config.Bool:
			s.Value = v.Is[0] == "true"
		default:
			s.Value = v.Is[0]
		}
		switch {
		case v.Origin.Former:
			s.From = "lease"
		case v.Origin.Flag != "":
			s.From = "flag"
		case v.Origin.File != "":
			s.From = "file"
		}
		d.Settings = append(d.Settings, s)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
