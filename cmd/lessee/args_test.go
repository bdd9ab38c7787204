package main

import (
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

// tried is what an action was called with.
type tried struct {
	args    []string
	text    string
	list    []string
	on      bool
	timeout time.Duration
	set     []string
}

// try runs a command line of a program with few flags.
func try(words ...string) (got tried, err error) {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "text", Value: "none"},
		&cli.StringSliceFlag{Name: "list"},
		&cli.BoolFlag{Name: "on", Aliases: []string{"o"}},
		&cli.DurationFlag{Name: "timeout", Value: time.Minute},
	}
	action := func(c *cli.Context) error {
		got = tried{args: c.Args().Slice(), text: c.String("text"), list: c.StringSlice("list"), on: c.Bool("on"), timeout: c.Duration("timeout")}
		for _, f := range c.Command.Flags {
			if name := f.Names()[0]; c.IsSet(name) {
				got.set = append(got.set, name)
			}
		}
		return nil
	}
	app := &cli.App{Name: "lessee", Commands: []*cli.Command{
		{Name: "do", ArgsUsage: "IFACE...", Flags: flags, Action: action},
		{Name: "plain", Action: action},
		{Name: "outer", Action: action, Subcommands: []*cli.Command{{Name: "inner", ArgsUsage: "X", Flags: flags, Action: action}}},
	}}
	return got, dispatch(app, words)
}

func TestALineIsRead(t *testing.T) {
	for line, want := range map[string]tried{
		"do":                                   {text: "none", timeout: time.Minute},
		"do a --text x b --on c":               {args: []string{"a", "b", "c"}, text: "x", on: true, timeout: time.Minute, set: []string{"text", "on"}},
		"do -text=x -timeout 2s a":             {args: []string{"a"}, text: "x", timeout: 2 * time.Second, set: []string{"text", "timeout"}},
		"do -timeout 2 a":                      {args: []string{"a"}, text: "none", timeout: 2 * time.Second, set: []string{"timeout"}},
		"do --text x --text y --text=z":        {text: "z", timeout: time.Minute, set: []string{"text"}},
		"do --on --on=false":                   {text: "none", timeout: time.Minute, set: []string{"on"}},
		"do -o a":                              {args: []string{"a"}, text: "none", on: true, timeout: time.Minute, set: []string{"on"}},
		"do --list a,b a --list=c=d,e":         {args: []string{"a"}, text: "none", list: []string{"a,b", "c=d,e"}, timeout: time.Minute, set: []string{"list"}},
		"do --text= --list=":                   {list: []string{""}, timeout: time.Minute, set: []string{"text", "list"}},
		"do --text - -":                        {args: []string{"-"}, text: "-", timeout: time.Minute, set: []string{"text"}},
		"do --text -1 --text --unknown":        {text: "--unknown", timeout: time.Minute, set: []string{"text"}},
		"do a -- --text -- --help --no-such x": {args: []string{"a", "--text", "--", "--help", "--no-such", "x"}, text: "none", timeout: time.Minute},
		"outer inner --text x":                 {text: "x", timeout: time.Minute, set: []string{"text"}},
		"outer other":                          {args: []string{"other"}},
	} {
		got, err := try(strings.Fields(line)...)
		if err != nil || !slices.Equal(got.args, want.args) || !slices.Equal(got.list, want.list) || !slices.Equal(got.set, want.set) ||
			got.text != want.text || got.on != want.on || got.timeout != want.timeout {
			t.Errorf("%s: %+v, %v\nwant %+v", line, got, err, want)
		}
	}
	if got, err := try("do", "--list", " a, b ", "--text", ""); err != nil || !slices.Equal(got.list, []string{" a, b "}) || got.text != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// What is said to be tried must be what was meant.
func TestASlipIsToldWithTheLineThatWasMeant(t *testing.T) {
	for _, tc := range []struct{ line, what, try string }{
		{"acquire eth0 --format", "--format needs a value, such as text", "lessee acquire eth0 --format text"},
		{"acquire eth0 --format --dry-run", "--format needs a value, such as text", "lessee acquire eth0 --format text --dry-run"},
		{"acquire eth0 --format -- x", "--format needs a value, such as text", "lessee acquire eth0 --format text -- x"},
		{"acquire eth0 --pcap", "--pcap needs a value, such as FILE", "lessee acquire eth0 --pcap FILE"},
		{"inform eth0 --address", "--address needs a value, such as 192.0.2.9/24", "lessee inform eth0 --address 192.0.2.9/24"},
		{"acquire --dry-run false eth0", `--dry-run false: the flag takes a value only after "="`, "lessee acquire --dry-run=false eth0"},
		{"acquire --dry-run yes eth0", `--dry-run yes: the flag takes a value only after "="`, "lessee acquire --dry-run=true eth0"},
		{"acquire eth0 --dry-run=maybe", "--dry-run maybe: want true or false", "lessee acquire eth0 --dry-run=true"},
		{"acquire eth0 --timeout soon", "--timeout soon: want a duration such as 1m30s, or seconds", "lessee acquire eth0 --timeout 1m"},
		{"acquire eth0 --timeout=soon", "--timeout soon: want a duration such as 1m30s, or seconds", "lessee acquire eth0 --timeout=1m"},
		{"acquire eth0 --formt json", "flag provided but not defined: -formt; --format is probably meant", "lessee acquire eth0 --format json"},
		{"acquire eth0 -formt=json --tiemout soon", "flag provided but not defined: -formt; --format is probably meant", "lessee acquire eth0 --format=json --timeout 1m"},
		{"acquire eth0 --formt=json --gibberish", "flag provided but not defined: -formt; --format is probably meant", "lessee help acquire"},
		{"config show eth0 --mertic 5", "flag provided but not defined: -mertic; --metric is probably meant", "lessee config show eth0 --metric 5"},
		{"config check --gibberish", "flag provided but not defined: -gibberish", "lessee help config check"},
		{"acquire --dry_run", "flag provided but not defined: -dry_run; --dry-run is probably meant", "lessee acquire " + someLink() + " --dry-run"},
		{"--format json acquire eth0", "--format stands before the command, where only --help and --version may", "lessee acquire --format json eth0"},
		{"--format json eth0", "--format stands before the command, where only --help and --version may", "lessee help"},
		{"acquire eth0 --timeout -30", "--timeout -30: want a duration such as 1m30s, or seconds", "lessee acquire eth0 --timeout 1m"},
		{"discover eth0 --wait=1.5", "--wait 1.5: want a duration such as 1m30s, or seconds", "lessee discover eth0 --wait=4s"},
		{"acquire eth0 --offer-wait soon", `--offer-wait soon: want a duration such as "1m30s", or seconds`, "lessee acquire eth0 --offer-wait 500ms"},
		{"inform eth0 --addr 192.0.2.9/24", "flag provided but not defined: -addr; --address is probably meant", "lessee inform eth0 --address 192.0.2.9/24"},
		{"acquir eth0 --formt json", `no command "acquir"; acquire is probably meant`, "lessee acquire eth0 --format json"},
		{"gibberish eth0", `no command "gibberish"`, "lessee help"},
		{"acquir --help", `no command "acquir"; acquire is probably meant`, "lessee help acquire"},
		{"help acquir", `no command "acquir"; acquire is probably meant`, "lessee help acquire"},
		{"help gibberish", `no command "gibberish"`, "lessee help"},
		{"help config shw", `no command "config shw"; config show is probably meant`, "lessee help config show"},
		{"help acquire eth0", `no command "acquire eth0"`, "lessee help acquire"},
		{"version foo", `version takes no argument, not "foo"`, "lessee version"},
		{"options x", `options takes no argument, not "x"`, "lessee options"},
		{"demo foo bar", `demo takes no argument, not "foo"`, "lessee demo"},
	} {
		r := runLessee(t, strings.Fields(tc.line)...)
		if want := "lessee: " + tc.what + "\ntry: " + tc.try + "\n"; r.code != exitUsage || r.stderr != want || r.out != "" {
			t.Errorf("lessee %s: exit %d\n%s%s\nwant\n%s", tc.line, r.code, r.out, r.stderr, want)
		}
	}
}

// A line to try may be copied to a shell.
func TestALineToTryIsQuoted(t *testing.T) {
	app := newApp()
	cmd, rest := find(app, []string{"run", "en*", "--hostname", "it's", "--vendor-class", ""})
	if got := correction(cmd, &slip{fixed: rest}); got != `lessee run 'en*' --hostname 'it'\''s' --vendor-class ''` {
		t.Error(got)
	}
}

func TestEveryCommandCanBeCalled(t *testing.T) {
	var all func([]*cli.Command)
	all = func(commands []*cli.Command) {
		for _, c := range commands {
			if c.Action == nil {
				t.Errorf("%s does nothing", c.Name)
			}
			l, err := newLine(c.Flags) // a name that is there twice panics
			if err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
			for _, f := range c.Flags {
				word := "--" + f.Names()[0] + "=" + sample(f)
				if wrong := l.read([]string{word}); wrong != nil {
					t.Errorf("%s %s: %s", c.Name, word, wrong.what)
				}
			}
			all(c.Subcommands)
		}
	}
	all(newApp().Commands)
}

// The agent reads its configuration again at SIGHUP; a command that waits is
// ended by it, as its terminal is gone.
func TestSIGHUPEndsAllButTheAgent(t *testing.T) {
	for name, ends := range map[string]bool{"run": false, "acquire": true} {
		hear := make(chan os.Signal, 1)
		signal.Notify(hear, syscall.SIGHUP)
		err := dispatch(&cli.App{Commands: []*cli.Command{{Name: name, Action: func(c *cli.Context) error {
			if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
				return err
			}
			<-hear
			if !ends {
				return c.Context.Err()
			}
			<-c.Context.Done()
			return nil
		}}}}, []string{name})
		signal.Stop(hear)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is typed: it is read, or what is said to be tried can be.
func FuzzALineIsReadOrCorrected(f *testing.F) {
	for _, s := range []string{"eth0 --format", "--dry-run no --timeout -- x", "--formt=--x --option a,b -", "--=", "--- -=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cmd, words := find(newApp(), append([]string{"acquire"}, strings.Fields(s)...))
		l, err := newLine(cmd.Flags)
		if err != nil {
			t.Fatal(err)
		}
		wrong := l.read(words)
		if wrong == nil {
			return
		}
		tried := correction(cmd, wrong)
		if tried == "lessee help acquire" || strings.Contains(tried, "'") {
			return // no correction, or one that only a shell can part
		}
		again, err := newLine(cmd.Flags)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := again.read(strings.Fields(strings.TrimPrefix(tried, "lessee acquire"))); wrong != nil {
			t.Errorf("%q: tried %q: %s", s, tried, wrong.what)
		}
	})
}
