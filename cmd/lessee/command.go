package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/cmd/lessee/config"
)

// What the library lays out, these functions run. Its own way to run a command
// leads to text/template, for help, and whoever links that calls methods by
// name, so that the linker must keep every method of every type: a sixth of the
// whole program.

// dispatch finds the command that the words name and runs it.
func dispatch(app *cli.App, words []string) error {
	words, help := withoutHelp(words)
	if len(words) == 0 || help && isFlag(words[0]) {
		return show(appHelp(app))
	}
	switch flagName(words[0]) {
	case words[0]: // not a flag
	case "version", "v":
		return printVersion()
	default:
		what := fmt.Sprintf("%s stands before the command, where only --help and --version may", words[0])
		isCommand := func(w string) bool { return named(app.Commands, w) != nil }
		i := slices.IndexFunc(words, isCommand)
		if i < 0 {
			return &usageError{what, "lessee help"}
		}
		cmd, rest := find(app, append([]string{words[i]}, replace(words, i, 1)...))
		return &usageError{what, correction(cmd, &slip{fixed: rest})}
	}
	cmd, rest := find(app, words)
	switch {
	case cmd == nil && help:
		return noHelp(app.Commands, "", words[0])
	case cmd == nil:
		return noCommand(app, words)
	case help:
		return show(commandHelp(cmd))
	}
	return perform(app, cmd, rest)
}

// withoutHelp takes the flag for help away, wherever it stands, and tells
// whether it did.
func withoutHelp(words []string) (rest []string, help bool) {
	for i, w := range words {
		switch {
		case w == "--":
			return append(rest, words[i:]...), help
		case isFlag(w) && (flagName(w) == "help" || flagName(w) == "h"):
			help = true
		default:
			rest = append(rest, w)
		}
	}
	return rest, help
}

// find returns the command that the first words name, and the other words.
// From then on the command knows its full name.
func find(app *cli.App, words []string) (cmd *cli.Command, rest []string) {
	name, among := "lessee", app.Commands
	for len(words) > 0 {
		next := named(among, words[0])
		if next == nil {
			break
		}
		cmd, among, words = next, next.Subcommands, words[1:]
		name += " " + cmd.Name
		cmd.HelpName = name
	}
	return cmd, words
}

func named(commands []*cli.Command, name string) *cli.Command {
	i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(name) })
	if i < 0 {
		return nil
	}
	return commands[i]
}

// noCommand is the mistake of words that begin with no command's name.
func noCommand(app *cli.App, words []string) error {
	wrong, near := misnamed(app.Commands, "", words[0])
	if near == "" {
		return &usageError{wrong, "lessee help"}
	}
	cmd, rest := find(app, replace(words, 0, 1, near))
	return &usageError{wrong, correction(cmd, &slip{fixed: rest})}
}

// noHelp is the mistake of asking for help on what is no command of those
// within another one; on none at all if within is empty.
func noHelp(commands []*cli.Command, within, name string) error {
	wrong, near := misnamed(commands, within, name)
	return &usageError{wrong, strings.TrimSuffix("lessee help "+within+near, " ")}
}

// misnamed tells that there is no such command, and which one was probably
// meant.
func misnamed(commands []*cli.Command, within, name string) (wrong, near string) {
	wrong = fmt.Sprintf("no command %q", within+name)
	var known []string
	for _, c := range commands {
		known = append(known, c.Name)
	}
	if near = config.Nearest(name, known); near != "" {
		wrong += "; " + within + near + " is probably meant"
	}
	return wrong, near
}

// perform reads flags and arguments of a command, and does it. A signal ends
// its context.
func perform(app *cli.App, cmd *cli.Command, words []string) error {
	l, err := newLine(cmd.Flags)
	if err != nil {
		return err
	}
	if wrong := l.read(words); wrong != nil {
		return &usageError{wrong.what, correction(cmd, wrong)}
	}
	if len(l.args) > 0 && cmd.ArgsUsage == "" && len(cmd.Subcommands) == 0 {
		name := strings.TrimPrefix(cmd.HelpName, "lessee ")
		return &usageError{fmt.Sprintf("%s takes no argument, not %q", name, l.args[0]), cmd.HelpName}
	}
	ctx, stop := signal.NotifyContext(context.Background(), endings(cmd)...)
	defer stop()
	c := cli.NewContext(app, l.set, nil)
	c.Context, c.Command = ctx, cmd
	return cmd.Action(c)
}

// endings are the signals that end a command. To the agent, SIGHUP means to
// read its configuration again.
func endings(cmd *cli.Command) []os.Signal {
	ends := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if cmd.HelpName != "lessee run" {
		ends = append(ends, syscall.SIGHUP)
	}
	return ends
}

// maxSlips bounds how many slips of one line are corrected.
const maxSlips = 8

// correction is the line as it was probably meant, with all its slips
// corrected; where one cannot be, the line that helps.
func correction(cmd *cli.Command, wrong *slip) string {
	help := "lessee help" + strings.TrimPrefix(cmd.HelpName, "lessee")
	for range maxSlips {
		if wrong.fixed == nil {
			return help
		}
		l, err := newLine(cmd.Flags)
		if err != nil {
			return help
		}
		words := wrong.fixed
		if wrong = l.read(words); wrong != nil {
			continue
		}
		if len(l.args) == 0 && cmd.ArgsUsage == "IFACE" {
			words = append([]string{someLink()}, words...)
		}
		return quoted(cmd.HelpName, words)
	}
	return help
}

// quoted is a line that a shell reads as these words.
func quoted(line string, words []string) string {
	for _, w := range words {
		if w == "" || strings.ContainsFunc(w, special) {
			w = shellQuote(w)
		}
		line += " " + w
	}
	return line
}

// special tells which characters may mean something to a shell.
func special(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=./,:@%+", r))
}
