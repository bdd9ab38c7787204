package resolv

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lessee/lessee/netconf/atomicfile"
	"github.com/lessee/lessee/netconf/program"
)

// A resolvconf is what calls itself so on this host.
type resolvconf struct {
	path string // "": there is none
	kind string
}

// The kinds of resolvconf. systemd's is another name of resolvectl, for those
// who know no better: it leads to systemd-resolved.
const (
	openresolv = "openresolv"
	debians    = "Debian's resolvconf"
	systemds   = "systemd's resolvconf"
)

var errNoProgram = errors.New("there is no resolvconf program (openresolv and resolvconf are two packages that have one)")

// ErrGone says that the resolvconf that was told of names has been taken off
// the host since. What it was told is taken away without it.
var ErrGone = errors.New("resolvconf is not there any more: what it wrote into " + Usual + " stays until somebody writes that anew")

// usable tells why the program is not for us.
func (p resolvconf) usable() error {
	switch {
	case p.path == "":
		return errNoProgram
	case p.kind == systemds: // which would take along what an operator has set
		return fmt.Errorf("%s is %s, another way to systemd-resolved (--resolver resolved puts back what stood there)", p.path, p.kind)
	}
	return nil
}

// programPlaces is where it is, first of all.
func programPlaces() []string {
	return []string{"/usr/sbin/resolvconf", "/sbin/resolvconf", "/usr/bin/resolvconf", "/usr/local/sbin/resolvconf"}
}

// findProgram looks for it. Nothing is run: openresolv says in its text who it
// is, and systemd's is a link.
func findProgram() resolvconf {
	for _, path := range programPlaces() {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			continue
		}
		if resolvectl, err := os.Stat("/usr/bin/resolvectl"); err == nil && os.SameFile(info, resolvectl) {
			return resolvconf{path, systemds}
		}
		if text, err := atomicfile.Read(path); err == nil && bytes.Contains(text, []byte("OPENRESOLV_VERSION")) {
			return resolvconf{path, openresolv}
		}
		return resolvconf{path, debians}
	}
	return resolvconf{}
}

// runLimit is how long a run may take. Both programs wait up to 10 s for
// another one of their kind.
const runLimit = 15 * time.Second

// run runs the program.
func (p resolvconf) run(limit time.Duration, stdin string, args ...string) error {
	_, err := program.Run(limit, stdin, p.path, args...)
	return err
}
