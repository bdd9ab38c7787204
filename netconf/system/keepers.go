package system

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/netconf/atomicfile"
	"github.com/lessee/lessee/netconf/program"
)

// chrony reads every *.sources file in the folders that its configuration names
// by sourcedir; Debian's and Fedora's name this one. "chronyc reload sources"
// makes it compare them with what it has, so that other sources notice nothing.
var chrony = clockKeeper{
	name:   "chrony",
	isHere: func() bool { return isProgram("/usr/sbin/chronyd") },
	files: func(l links) ([]dropIn, error) {
		return perLink(l, "/run/chrony-dhcp", ".sources", func(servers []netip.Addr) string {
			return "# Written by lessee from a DHCP lease.\n" + lines("server %v iburst\n", servers)
		}), nil
	},
	ours: func() []string { return dropIns("/run/chrony-dhcp", ".sources") },
	tell: func() error {
		switch _, err := os.Stat("/run/chrony/chronyd.sock"); {
		case errors.Is(err, os.ErrNotExist), err == nil && !isProgram("/usr/bin/chronyc"):
			return nil // it reads them when it starts
		case errors.Is(err, os.ErrPermission):
			return fmt.Errorf("%w (CAP_DAC_OVERRIDE is needed to speak to it)", err)
		case err != nil:
			return err
		}
		out, err := program.Run(usually, "", "/usr/bin/chronyc", "-n", "reload", "sources")
		if err != nil && strings.Contains(out, "Cannot talk to daemon") {
			return nil // the socket of one that died
		}
		return err
	},
}

// timesyncd is a service of systemd's that reads its configuration when it
// starts, and in no other way; stopping it leaves the clock where it is.
var timesyncd = clockKeeper{
	name:   "systemd-timesyncd",
	isHere: func() bool { return isProgram("/lib/systemd/systemd-timesyncd") },
	files: func(l links) ([]dropIn, error) {
		return perLink(l, "/run/systemd/timesyncd.conf.d", ".conf", func(servers []netip.Addr) string {
			return "# Written by lessee from a DHCP lease.\n[Time]\nNTP=" + strings.TrimPrefix(lines(" %v", servers), " ") + "\n"
		}), nil
	},
	ours: func() []string { return dropIns("/run/systemd/timesyncd.conf.d", ".conf") },
	tell: func() error { return restart("systemd-timesyncd") },
}

// perLink is one file for each link.
func perLink(l links, dir, ending string, text func([]netip.Addr) string) (out []dropIn) {
	for _, s := range l {
		// The name of a link may hold anything but slashes and spaces.
		name := ownPrefix + strings.ReplaceAll(url.PathEscape(s.Link), ".", "%2E") + ending
		out = append(out, dropIn{filepath.Join(dir, name), text(s.Servers), atomicfile.Mine(0o644)})
	}
	return out
}

// ownPrefix begins the names of all drop-ins of ours.
const ownPrefix = "lessee-"

// dropIns are the drop-ins of ours in a folder.
func dropIns(dir, ending string) (paths []string) {
	entries, _ := os.ReadDir(dir) // without it there are none
	for _, e := range entries {
		name := atomicfile.Finished(e.Name()) // what died half-way is ours too
		if strings.HasPrefix(name, ownPrefix) && strings.HasSuffix(name, ending) && !slices.Contains(paths, filepath.Join(dir, name)) {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}

func lines(format string, servers []netip.Addr) string {
	var b strings.Builder
	for _, s := range servers {
		fmt.Fprintf(&b, format, s)
	}
	return b.String()
}

// isProgram reports whether there is a program at path.
func isProgram(path string) bool { return unix.Access(path, unix.X_OK) == nil }

// merged are the servers of all links, each once.
func merged(l links) (out []netip.Addr) {
	for _, s := range l {
		for _, a := range s.Servers {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}
