package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves the flags of a command before its arguments, because the
// library stops reading flags at the first argument and people write
//
//	lessee acquire eth0 --format json
//
// as well. What follows "--" is left where it is.
func flagsFirst(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	taking := takesValue(app.Flags)
	out := []string{args[0]}
	rest := args[1:]
	// Flags before the command's name belong to the application.
	for len(rest) > 0 && isFlag(rest[0]) {
		n := flagLength(rest, taking)
		out = append(out, rest[:n]...)
		rest = rest[n:]
	}
	if len(rest) == 0 {
		return out
	}
	out = append(out, rest[0])
	if cmd := app.Command(rest[0]); cmd != nil {
		taking = takesValue(cmd.Flags)
	}
	rest = rest[1:]
	var words []string
	for len(rest) > 0 {
		switch {
		case rest[0] == "--":
			words = append(words, rest...)
			rest = nil
		case isFlag(rest[0]):
			n := flagLength(rest, taking)
			out = append(out, rest[:n]...)
			rest = rest[n:]
		default:
			words = append(words, rest[0])
			rest = rest[1:]
		}
	}
	return append(out, words...)
}

func isFlag(s string) bool { return len(s) > 1 && s[0] == '-' && s != "--" }

// flagLength is how many words the flag at args[0] takes: two if its value is
// a word of its own.
func flagLength(args []string, taking map[string]bool) int {
	name := strings.TrimLeft(args[0], "-")
	if !strings.Contains(name, "=") && taking[name] && len(args) > 1 {
		return 2
	}
	return 1
}

// takesValue tells for each name of each flag whether a value follows.
func takesValue(flags []cli.Flag) map[string]bool {
	taking := map[string]bool{}
	for _, f := range flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, name := range f.Names() {
			taking[name] = !isBool
		}
	}
	return taking
}
