package view

import "time"

// Options say who reads.
type Options struct {
	Width int       // of the terminal in columns; 0: none, such as a pipe
	Color bool      // SGR sequences for the first eight colours may be used
	ASCII bool      // nothing but ASCII is understood
	Now   time.Time // of the reader, in the reader's time zone
}

// piped reports whether there is no terminal.
func (o Options) piped() bool { return o.Width <= 0 }
