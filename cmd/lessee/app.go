package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
)

// The rules of what this command says:
//
//   - What was asked for goes to standard output, and nothing else does.
//   - Everything else goes to standard error. Errors begin with "lessee:", in
//     small letters and without a period, and say what helps.
//   - On a terminal, whoever waits sees what for.

// run is the whole command; it returns the exit code.
func run(args []string) int {
	app := newApp()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := app.RunContext(ctx, flagsFirst(app, args))
	if err != nil {
		complain(err)
	}
	return exitCode(err)
}

// newApp lays out commands and flags.
func newApp() *cli.App {
	return &cli.App{
		Name:  "lessee",
		Usage: "get a DHCPv4 lease, prove that the address is free, configure the link",
		Description: `lessee speaks DHCP for one link at a time and exits. Begin with

   lessee demo                 a whole lease's life, without root or server
   lessee discover eth0        who would give us an address?
   sudo lessee acquire eth0    get one and use it

Exit codes: 0 done, 1 failed otherwise, 2 wrong usage, 3 no server answered,
4 refused (DHCPNAK, or no offer was acceptable), 5 every address offered was in
use, 6 no such interface or no carrier, 7 not permitted, 8 the host could not be
configured (what was changed is undone).`,
		Version:         version(),
		HideHelpCommand: false,
		Suggest:         false,
		OnUsageError:    onUsageError,
		ExitErrHandler:  func(*cli.Context, error) {}, // run decides
		CommandNotFound: func(*cli.Context, string) {},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return &usageError{fmt.Sprintf("no command %q", c.Args().First()), "lessee help"}
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			acquireCommand(), discoverCommand(), informCommand(),
			renewCommand(), rebindCommand(), releaseCommand(),
			demoCommand(), optionsCommand(), versionCommand(),
		},
	}
}

// onUsageError turns the library's complaint into ours. The context has no
// arguments yet.
func onUsageError(c *cli.Context, err error, _ bool) error {
	try := "lessee help"
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != c.App.Name {
		try = fmt.Sprintf("lessee %s %s, or lessee help %s", c.Command.Name, someLink(), c.Command.Name)
	}
	return &usageError{err.Error(), try}
}

// onLink wraps what a command does for one link: it takes the link's name from
// the arguments and the settings from the flags.
func onLink(do func(ctx context.Context, s *settings) error) cli.ActionFunc {
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
		s, err := readSettings(c)
		if err != nil {
			return err
		}
		return finish(s, do(c.Context, s))
	}
}

// finish tells machines of a failure too, in the format they asked for.
func finish(s *settings, err error) error {
	if err == nil {
		return nil
	}
	var usage *usageError
	if errors.As(err, &usage) {
		return err
	}
	return errors.Join(err, s.print(failure(s.link, err)))
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(*cli.Context) error {
			_, err := fmt.Println("lessee", version())
			return err
		},
		OnUsageError: onUsageError,
	}
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
