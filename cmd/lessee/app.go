package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
)

// The rules of what this command says:
//
//   - What was asked for goes to standard output, and nothing else does.
//   - Everything else goes to standard error. Errors begin with "lessee:", in
//     small letters and without a period, and say what helps.
//   - On a terminal, whoever waits sees what for.

// run is the whole command; it returns the exit code.
func run(args []string) int {
	words := args[min(1, len(args)):]
	err := dispatch(appFor(words), words)
	if err != nil {
		complain(err)
	}
	return exitCode(err)
}

// appFor lays out the command that words begin with; all of them if they begin
// with none, or ask for help. All flags of all commands are a twentieth of the
// time to a lease.
func appFor(words []string) *cli.App {
	if len(words) == 0 || words[0] == "help" {
		return newApp()
	}
	for _, layout := range layouts() {
		if c := layout(); c.Name == words[0] {
			return &cli.App{Commands: []*cli.Command{c}}
		}
	}
	return newApp()
}

// layouts are the commands, in the order of help.
func layouts() []func() *cli.Command {
	return []func() *cli.Command{
		acquireCommand, discoverCommand, informCommand,
		renewCommand, rebindCommand, releaseCommand,
		runCommand, statusCommand, watchCommand, waitCommand,
		reacquireCommand, pauseCommand, resumeCommand, reloadCommand, metricsCommand,
		configCommand, demoCommand, optionsCommand, versionCommand, helpCommand,
	}
}

// newApp lays out all commands with all their flags.
func newApp() *cli.App {
	app := &cli.App{
		Name:  "lessee",
		Usage: "get a DHCPv4 lease, prove that the address is free, configure the link",
		Description: `Most commands do one thing for one link, by DHCP, and exit. "lessee run" is the
agent: it keeps links configured for as long as it runs. Begin with

   lessee demo                 a whole lease's life, without root or server
   lessee discover eth0        who would give us an address?
   sudo lessee acquire eth0    get one and use it
   sudo lessee run eth0        and keep it`,
	}
	for _, layout := range layouts() {
		app.Commands = append(app.Commands, layout())
	}
	return app
}

// onLink wraps what a command does for one link: it takes the link's name from
// the arguments and the settings from the flags.
func onLink(do func(ctx context.Context, s *settings) error) cli.ActionFunc {
	return forLink(readSettings, do)
}

// forLink wraps what a command does for one link, with the settings that read
// reads.
func forLink(read func(*cli.Context) (*settings, error), do func(ctx context.Context, s *settings) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		name := c.Command.Name
		switch c.NArg() {
		case 0:
			return &usageError{name + " needs the name of an interface", fmt.Sprintf("lessee %s %s", name, someLink())}
		case 1:
		default:
			return &usageError{
				fmt.Sprintf("%s takes one interface, not %s", name, strings.Join(c.Args().Slice(), " ")),
				fmt.Sprintf("lessee %s %s", name, c.Args().First()),
			}
		}
		s, err := read(c)
		if err != nil {
			return err
		}
		return finish(s, do(c.Context, s))
	}
}

// finish tells machines of a failure too, in the format they asked for. What an
// exchange came to does not name the link.
func finish(s *settings, err error) error {
	var usage *usageError
	var obstacle *client.Obstacle
	switch {
	case err == nil, errors.As(err, &usage):
		return err
	case errors.As(err, &obstacle), errors.Is(err, client.ErrLinkGone):
		err = fmt.Errorf("%s: %w", s.link, err)
	}
	return errors.Join(err, s.print(failure(s.link, err)))
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:   "version",
		Usage:  "print the version",
		Action: func(*cli.Context) error { return printVersion() },
	}
}

func printVersion() error {
	_, err := fmt.Println("lessee", version())
	return err
}

// version is the module's version, as the Go tool knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// someLink is the name of a link that this host really has, for advice.
func someLink() string {
	names, err := os.ReadDir("/sys/class/net")
	if err != nil {
		return "eth0"
	}
	for _, n := range names {
		if n.Name() != "lo" {
			return n.Name()
		}
	}
	return "eth0"
}
