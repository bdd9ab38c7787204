package system

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// TimeServers hands time servers to the programs on this host that keep its
// clock: chrony, systemd-timesyncd and ntpsec, all that are there. Each gets
// files of its own in /run, and is told to read them; what the operator
// configured in /etc stays as it is.
type TimeServers struct{ Place }

// serverNotes are what is noted of time servers.
type serverNotes struct {
	Links  links[[]netip.Addr] `json:"links,omitempty"`
	Untold []string            `json:"untold,omitempty"` // the programs whose files change, and that have yet to read them
	Made   []string            `json:"made,omitempty"`   // folders, the outer ones first
}

// A clockKeeper is a program that keeps the clock.
type clockKeeper struct {
	name string

	// isHere reports whether the program is on this host.
	isHere func() bool
	// files are those that the program is to have: their text by path. The
	// error says why it is left alone.
	files func(l links[[]netip.Addr]) (map[string]dropIn, error)
	// ours are the paths of those of our files that it has.
	ours func() []string
	// tell makes it read them, if it runs.
	tell func() error
}

// A dropIn is a file that a clockKeeper reads.
type dropIn struct {
	text  string
	owner atomicfile.Owner
}

var keepers = []clockKeeper{chrony, timesyncd, ntpsec}

func (t *TimeServers) ledger() ledger[serverNotes] {
	return ledger[serverNotes]{
		files: t.files(), bootID: t.BootID,
		path: filepath.Join(t.RunDir, "timeservers.json"), what: "what keeps the clock",
	}
}

func (t *TimeServers) files() atomicfile.Files { return atomicfile.Files{Step: t.Step} }

// Set makes the link's time servers, which BadServer checked, those that are
// used beside other links'. The order of links is that of their metrics.
func (t *TimeServers) Set(link string, metric int, servers []netip.Addr) error {
	if len(t.Here()) == 0 && !t.Holds(link) {
		return nil
	}
	return t.ledger().change(func(p *page[serverNotes]) error {
		p.is.Links.give(link, metric, servers)
		return t.settle(p)
	})
}

// Unset takes the link's time servers away.
func (t *TimeServers) Unset(link string) error {
	if !t.Holds(link) {
		return nil
	}
	return t.ledger().change(func(p *page[serverNotes]) error {
		p.is.Links.take(link)
		return t.settle(p)
	})
}

// Holds reports whether there is anything for Unset to do; whatever link it is
// about, if a process died over it.
func (t *TimeServers) Holds(link string) bool {
	p, err := t.ledger().read()
	return err != nil || p.isHalfDone() || p.known && (len(p.is.Links) == 0 || len(p.is.Untold) > 0 || p.is.Links.has(link))
}

// Links returns the links of which anything is noted.
func (t *TimeServers) Links() []string {
	p, _ := t.ledger().read() // without it there are none
	return p.is.Links.names()
}

// Rename gives the servers of one link to another, and the other's to it.
func (t *TimeServers) Rename(from, to string) error {
	if p, err := t.ledger().read(); err == nil && !p.is.Links.has(from) && !p.is.Links.has(to) {
		return nil
	}
	return t.ledger().change(func(p *page[serverNotes]) error {
		p.is.Links = p.is.Links.rename(from, to)
		return t.settle(p)
	})
}

// Here returns the names of the programs on this host that can be told.
func (t *TimeServers) Here() (names []string) {
	for _, k := range keepers {
		if k.isHere() {
			names = append(names, k.name)
		}
	}
	return names
}

// Why tells why nobody on this host would use time servers; "" if somebody
// would.
func (t *TimeServers) Why() string {
	if len(t.Here()) > 0 {
		return ""
	}
	var names []string
	for _, k := range keepers {
		names = append(names, k.name)
	}
	return "nothing on this host keeps the clock by them that can be told (" + strings.Join(names, ", ") + ")"
}

// A job is what one program's files need.
type job struct {
	clockKeeper
	want   map[string]dropIn
	remove []string // paths of ours that are too many
	write  []string // paths of want that differ, or are not there
	left   error    // why it is left alone
}

func (k clockKeeper) job(l links[[]netip.Addr]) job {
	j := job{clockKeeper: k}
	if len(l) > 0 && k.isHere() {
		j.want, j.left = k.files(l)
	}
	for _, path := range k.ours() {
		if _, stays := j.want[path]; !stays && j.left == nil {
			j.remove = append(j.remove, path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(j.want)) {
		if b, err := atomicfile.Read(path); err != nil || string(b) != j.want[path].text {
			j.write = append(j.write, path)
		}
	}
	return j
}

// settle gives all programs the files that the notes want, and tells those of
// which any changed. One that cannot be told does not keep the others from it.
func (t *TimeServers) settle(p *page[serverNotes]) error {
	var jobs []job
	for _, k := range keepers {
		j := k.job(p.is.Links)
		if len(j.remove)+len(j.write) > 0 && !slices.Contains(p.is.Untold, k.name) {
			p.is.Untold = append(p.is.Untold, k.name)
		}
		for _, path := range j.write {
			p.is.Made = append(p.is.Made, missing(filepath.Dir(path), p.is.Made)...)
		}
		jobs = append(jobs, j)
	}
	if err := p.save(); err != nil { // what is going to be done, before it is
		return err
	}
	var errs []error
	for _, j := range jobs {
		if err := errors.Join(j.left, t.do(p, j)); err != nil {
			errs = append(errs, fmt.Errorf("time servers for %s: %w", j.name, err))
		}
	}
	if err := errors.Join(errs...); err != nil || len(p.is.Links) > 0 {
		return err
	}
	for _, dir := range slices.Backward(p.is.Made) {
		t.step("remove " + dir)
		_ = os.Remove(dir) // somebody else may use it by now
	}
	return p.forget()
}

// do changes one program's files, and tells it.
func (t *TimeServers) do(p *page[serverNotes], j job) error {
	var errs []error
	for _, path := range j.remove {
		errs = append(errs, t.files().Remove(path))
	}
	for _, path := range j.write {
		err := makeDir(filepath.Dir(path))
		if err == nil {
			err = t.files().Replace(path, []byte(j.want[path].text), j.want[path].owner)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil || !slices.Contains(p.is.Untold, j.name) {
		return err
	}
	t.step("tell " + j.name)
	if err := j.tell(); err != nil {
		return err
	}
	p.is.Untold = slices.DeleteFunc(slices.Clone(p.is.Untold), func(name string) bool { return name == j.name })
	return p.save()
}

// missing are the folders on the way to dir that are not there, and are not
// noted down yet; the outermost first.
func missing(dir string, noted []string) (out []string) {
	for ; len(dir) > 1; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		if !slices.Contains(noted, dir) {
			out = append(out, dir)
		}
	}
	slices.Reverse(out)
	return out
}

// makeDir makes a folder that programs can read, whatever the umask is.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	return errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o755))
}
