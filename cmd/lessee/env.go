package main

import (
	"fmt"
	"io"
	"strings"
)

// shellQuote writes s so that a POSIX shell reads exactly s: between single
// quotes nothing is special but the single quote itself. NUL cannot be in a
// shell's variable and is left out.
func shellQuote(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// writeEnv prints NAME='VALUE' lines for eval. Names are ours, never a
// server's.
func writeEnv(w io.Writer, pairs [][2]string) error {
	for _, p := range pairs {
		if _, err := fmt.Fprintf(w, "%s=%s\n", p[0], shellQuote(p[1])); err != nil {
			return err
		}
	}
	return nil
}
