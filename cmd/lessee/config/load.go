package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
	"golang.org/x/sys/unix"
)

// DefaultPath is where the file is, if nobody says otherwise.
const DefaultPath = "/etc/lessee/lessee.toml"

// Limits. A thousand links with all settings each take less.
const (
	maxFile   = 1 << 20 // bytes
	maxTables = 1000    // of links
)

// A File is what a configuration file says. The zero File says nothing: all
// settings have their defaults.
type File struct {
	Path string // "" if there is none

	agent, defaults layer
	links           []*layer // in the order of the file
	text            string
}

// A layer is one table of a file.
type layer struct {
	Origin
	pattern Pattern // of a link's table
	given   map[string]given
}

// given is the value of one setting.
type given struct {
	words  []string
	origin Origin
	each   []Origin // of a table: where each of words stands
}

// Load reads and checks a file. If something is wrong with what it says, the
// error is [*Mistakes]; if it is not there, [os.ErrNotExist].
func Load(path string) (*File, error) {
	text, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, bare(err))
	}
	return Parse(path, text)
}

// bare takes the path out of an error that will name it anyway.
func bare(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// read opens regular files alone: a device or a pipe might make it wait for
// ever, or do something.
func read(path string) (string, error) {
	if i, err := os.Stat(path); err != nil {
		return "", err
	} else if !i.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if len(text) > maxFile {
		return "", fmt.Errorf("more than %d bytes", maxFile)
	}
	return string(text), nil
}

// Parse checks text, the contents of the file at path.
func Parse(path, text string) (*File, error) {
	text = strings.TrimPrefix(text, "\ufeff") // as the library does
	r := &reader{path: path, places: locate(text)}
	if r.places.deep >= 0 {
		r.bad(r.origin(r.places.deep), "nested more than %d deep", maxDepth)
		return nil, collect(r.mistakes, text)
	}
	var root map[string]any
	if _, err := toml.Decode(text, &root); err != nil {
		r.syntax(err)
		return nil, collect(r.mistakes, text)
	}
	f := r.file(root)
	f.text = text
	r.mistakes = append(r.mistakes, f.contradictions()...)
	if err := collect(r.mistakes, text); err != nil {
		return nil, err
	}
	return f, nil
}

// syntax tells of text that is not TOML at all.
func (r *reader) syntax(err error) {
	var p toml.ParseError
	if !errors.As(err, &p) {
		r.bad(r.origin(0), "%v", err)
		return
	}
	at := p.Position.Start
	// Of some errors the library knows the line alone.
	if line, _ := r.places.lineCol(at); line != p.Position.Line && p.Position.Line >= 1 && p.Position.Line <= len(r.places.lines) {
		at = r.places.lines[p.Position.Line-1]
	}
	r.bad(r.origin(at), "not TOML: %s", p.Message)
}
