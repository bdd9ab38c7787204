package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestHelpAsItIsPrinted(t *testing.T) {
	for name, args := range map[string][]string{
		"help.txt":         {"help"},
		"help-acquire.txt": {"help", "acquire"},
	} {
		r := runLessee(t, args...)
		if r.code != exitDone || r.stderr != "" {
			t.Errorf("%v: exit %d\n%s", args, r.code, r.stderr)
		}
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, []byte(r.out), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if r.out != string(want) {
			t.Errorf("lessee %s differs from %s (go test -update writes it anew):\n%s", strings.Join(args, " "), golden, r.out)
		}
	}
}

func TestAllWaysToAskForHelpAgree(t *testing.T) {
	for _, ways := range [][]string{
		{"help", "--help", "-h", "-help", "", "h", "--help --version"},
		{"help acquire", "acquire --help", "acquire eth0 -h", "--help acquire", "acquire --no-such --format -h eth0", "h acquire"},
		{"help config", "config --help", "config"},
		{"help config show", "config show --help", "config -h show", "config show eth0 --metric 5 --help"},
		{"help help", "help --help"},
		{"version", "--version", "-v"},
	} {
		want := runLessee(t, strings.Fields(ways[0])...)
		if want.code != exitDone || want.out == "" {
			t.Errorf("lessee %s: %+v", ways[0], want)
		}
		for _, way := range ways[1:] {
			if got := runLessee(t, strings.Fields(way)...); got != want {
				t.Errorf("lessee %s: exit %d\n%s%s", way, got.code, got.out, got.stderr)
			}
		}
	}
}

// Only an example may be wider than the terminal, for it must stay in one piece.
func TestHelpFitsTheTerminalAndNamesEveryFlag(t *testing.T) {
	app := newApp()
	check := func(help string) {
		for _, line := range strings.Split(help, "\n") {
			example := strings.HasPrefix(line, "   ") && strings.Contains(line, "lessee")
			if utf8.RuneCountInString(line) > helpWidth && !example || strings.TrimRight(line, " ") != line {
				t.Errorf("%q", line)
			}
		}
		if strings.Contains(help, "\n\n\n") || !strings.HasSuffix(help, "\n") || strings.HasSuffix(help, "\n\n") || strings.Contains(help, "`") {
			t.Errorf("laid out badly:\n%s", help)
		}
	}
	check(appHelp(app))
	var all func(path []string, commands []*cli.Command)
	all = func(path []string, commands []*cli.Command) {
		for _, c := range commands {
			words := append(path, c.Name)
			cmd, _ := find(app, words)
			help := commandHelp(cmd)
			check(help)
			for _, f := range c.Flags {
				if !strings.Contains(help, "   --"+f.Names()[0]) {
					t.Errorf("%v does not tell of --%s", words, f.Names()[0])
				}
			}
			all(words, c.Subcommands)
		}
	}
	all(nil, app.Commands)
}

func TestTablesAndText(t *testing.T) {
	long := strings.Repeat("word ", 14) + "end"
	got := sections(
		description("One\ntwo.\n\n   as it  is\nThree."), "",
		table("Flags", [][2]string{{"-x", "short"}, {"--" + strings.Repeat("y", 30), "long"}, {"--wide FILE", long}}),
	)
	want := `One two.

   as it  is
Three.

Flags:
   -x           short
   --yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
                long
   --wide FILE  word word word word word word word word word word word word word
                word end
`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestFlagsAreDescribed(t *testing.T) {
	for want, f := range map[string]cli.Flag{
		"-a FILE|keep in FILE":                  &cli.StringFlag{Name: "a", Usage: "keep in `FILE`"},
		"-b VALUE|what (default: x)":            &cli.StringFlag{Name: "b", Value: "x", Usage: "what"},
		"-c, -d|on":                             &cli.BoolFlag{Name: "c", Aliases: []string{"d"}, Usage: "on"},
		"-e|on (default: true)":                 &cli.BoolFlag{Name: "e", Value: true, Usage: "on"},
		"-f TIME|for so long (default: 1h)":     &cli.DurationFlag{Name: "f", Value: 3600e9, Usage: "for so long"},
		"-g TIME|for so long (default: 10m20s)": &cli.DurationFlag{Name: "g", Value: 620e9, Usage: "for so long"},
		"-h NAME|NAME; may be repeated":         &cli.StringSliceFlag{Name: "h", Usage: "`NAME`; may be repeated"},
	} {
		if row := flagRow(f); row[0]+"|"+row[1] != want {
			t.Errorf("%q, want %q", row, want)
		}
	}
}
