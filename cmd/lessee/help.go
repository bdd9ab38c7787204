package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

func helpCommand() *cli.Command {
	return &cli.Command{
		Name:      "help",
		Aliases:   []string{"h"},
		Usage:     "explain a command, with all its flags",
		ArgsUsage: "[COMMAND [SUBCOMMAND]]",
		Description: `The same as --help, which may stand anywhere in a command line.

   lessee help
   lessee help acquire
   lessee help config show`,
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return show(appHelp(c.App))
			}
			cmd, rest := find(c.App, c.Args().Slice())
			switch {
			case len(rest) == 0:
				return show(commandHelp(cmd))
			case cmd == nil:
				return noHelp(c.App.Commands, "", rest[0])
			}
			return noHelp(cmd.Subcommands, strings.TrimPrefix(cmd.HelpName, "lessee ")+" ", rest[0])
		},
	}
}

// show prints help, for that is what was asked for.
func show(help string) error {
	_, err := os.Stdout.WriteString(help)
	return err
}

// appHelp is the help of the whole program.
func appHelp(app *cli.App) string {
	return sections(
		wrapped(app.Name+" - "+app.Usage, 0),
		"Usage: "+app.Name+" COMMAND [FLAGS] [ARGUMENTS]\n",
		description(app.Description),
		table("Commands", commandRows(app.Commands)),
		table("Flags", [][2]string{
			{"-h, --help", "explain the command that it stands with"},
			{"-v, --version", "print the version"},
		}),
		table("Exit codes", exitRows()),
	)
}

// commandHelp is the help of a command that find has found.
func commandHelp(cmd *cli.Command) string {
	usage := "Usage: " + cmd.HelpName
	if len(cmd.Subcommands) > 0 {
		usage += " COMMAND"
	}
	if len(cmd.Flags) > 0 || len(cmd.Subcommands) > 0 {
		usage += " [FLAGS]"
	}
	if cmd.ArgsUsage != "" {
		usage += " " + cmd.ArgsUsage
	}
	var flags [][2]string
	for _, f := range cmd.Flags {
		flags = append(flags, flagRow(f))
	}
	return sections(
		wrapped(cmd.HelpName+" - "+cmd.Usage, 0),
		usage+"\n",
		description(cmd.Description),
		table("Commands", commandRows(cmd.Subcommands)),
		table("Flags", flags),
	)
}

func commandRows(commands []*cli.Command) (rows [][2]string) {
	for _, c := range commands {
		if !c.Hidden {
			rows = append(rows, [2]string{c.Name, c.Usage})
		}
	}
	return rows
}

func exitRows() (rows [][2]string) {
	for code, meaning := range []string{
		exitDone:         "done",
		exitFailed:       "failed otherwise",
		exitUsage:        "wrong usage or configuration",
		exitNoServer:     "no server answered",
		exitRefused:      "refused: DHCPNAK, or no offer was acceptable",
		exitConflict:     "every address offered was in use by another host",
		exitNoLink:       "no such interface, or it has no carrier",
		exitNotPermitted: "not permitted",
		exitNotApplied:   "the host could not be configured; what was changed is undone",
	} {
		rows = append(rows, [2]string{strconv.Itoa(code), meaning})
	}
	return rows
}

// flagRow is a flag, with what stands for its value, and what it does.
func flagRow(f cli.Flag) [2]string {
	value, usage := placeholder(f)
	left := ""
	for _, name := range f.Names() {
		if left != "" {
			left += ", "
		}
		if len(name) > 1 {
			left += "-"
		}
		left += "-" + name
	}
	if takesValue(f) {
		left += " " + value
	}
	if d := defaultOf(f); d != "" {
		usage += " (default: " + d + ")"
	}
	return [2]string{left, usage}
}

// placeholder is the part of a flag's usage between backquotes, which stands
// for the value, and the usage without them.
func placeholder(f cli.Flag) (value, usage string) {
	if d, ok := f.(cli.DocGenerationFlag); ok {
		usage = d.GetUsage()
	}
	before, rest, _ := strings.Cut(usage, "`")
	if value, after, ok := strings.Cut(rest, "`"); ok {
		return value, before + value + after
	}
	if _, is := f.(*cli.DurationFlag); is {
		return "TIME", usage
	}
	return "VALUE", usage
}

// defaultOf is what holds without the flag; "" if that goes without saying.
func defaultOf(f cli.Flag) string {
	switch f := f.(type) {
	case *cli.BoolFlag:
		if f.Value {
			return "true"
		}
		return ""
	case *cli.DurationFlag:
		return shortDuration(f.Value)
	case cli.DocGenerationFlag:
		return f.GetValue()
	}
	return ""
}

// shortDuration writes 1m, where Go writes 1m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
