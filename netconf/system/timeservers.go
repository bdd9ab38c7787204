package system

import (
	"errors"
	"fmt"
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

// A clockKeeper is a program that keeps the clock.
type clockKeeper struct {
	name string

	// isHere reports whether the program is on this host.
	isHere func() bool
	// files are those that the program is to have. The error says why it is
	// left alone.
	files func(l links) ([]dropIn, error)
	// ours are the paths of those of our files that it has.
	ours func() []string
	// tell makes it read them, if it runs.
	tell func() error
}

// A dropIn is a file that a clockKeeper reads.
type dropIn struct {
	path  string
	text  string
	owner atomicfile.Owner
}

var keepers = []clockKeeper{chrony, timesyncd, ntpsec}

func (t *TimeServers) ledger() *ledger {
	return &ledger{
		files: t.notes(false), bootID: t.BootID,
		path: filepath.Join(t.RunDir, "timeservers.json"), what: "what keeps the clock",
	}
}

// Set makes the link's time servers, which BadServer checked, those that are
// used beside other links'. The order of links is that of their metrics.
func (t *TimeServers) Set(link string, metric int, servers []netip.Addr) error {
	if len(t.Here()) == 0 && !t.Holds(link) {
		return nil
	}
	return t.ledger().change(func(p *page) error {
		p.Links.give(said{Link: link, Metric: metric, Servers: servers})
		return t.settle(p)
	})
}

// Unset takes the link's time servers away.
func (t *TimeServers) Unset(link string) error { return t.ledger().unset(link, t.settle) }

// Holds reports whether there is anything for Unset to do; whatever link it is
// about, if a process died over it.
func (t *TimeServers) Holds(link string) bool { return t.ledger().holds(link) }

// Links returns the links of which anything is noted.
func (t *TimeServers) Links() []string { return t.ledger().links() }

// Rename gives the servers of one link to another, and the other's to it.
func (t *TimeServers) Rename(from, to string) error { return t.ledger().rename(from, to, t.settle) }

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
	remove []string // paths of ours that are too many
	write  []dropIn // what differs, or is not there
	left   error    // why it is left alone
}

func (k clockKeeper) job(l links) job {
	j := job{clockKeeper: k}
	var want []dropIn
	if len(l) > 0 && k.isHere() {
		want, j.left = k.files(l)
	}
	var stay []string
	for _, d := range want {
		stay = append(stay, d.path)
		if b, err := atomicfile.Read(d.path); err != nil || string(b) != d.text {
			j.write = append(j.write, d)
		}
	}
	for _, path := range k.ours() {
		if !slices.Contains(stay, path) && j.left == nil {
			j.remove = append(j.remove, path)
		}
	}
	return j
}

// settle gives all programs the files that the notes want, and tells those of
// which any changed. One that cannot be told does not keep the others from it.
func (t *TimeServers) settle(p *page) error {
	var jobs []job
	for _, k := range keepers {
		j := k.job(p.Links)
		if len(j.remove)+len(j.write) > 0 && !slices.Contains(p.Untold, k.name) {
			p.Untold = append(p.Untold, k.name)
		}
		for _, d := range j.write {
			p.Made = append(p.Made, missing(filepath.Dir(d.path), p.Made)...)
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
	if err := errors.Join(errs...); err != nil || len(p.Links) > 0 {
		return err
	}
	for _, dir := range slices.Backward(p.Made) {
		if t.Dry == nil {
			t.step("remove " + dir)
			_ = os.Remove(dir) // somebody else may use it by now
		}
	}
	return p.forget()
}

// do changes one program's files, and tells it.
func (t *TimeServers) do(p *page, j job) error {
	var errs []error
	for _, path := range j.remove {
		errs = append(errs, t.files(false).Remove(path))
	}
	for _, d := range j.write {
		err := error(nil)
		if t.Dry == nil {
			err = makeDir(filepath.Dir(d.path))
		}
		if err == nil {
			err = t.files(false).Replace(d.path, []byte(d.text), d.owner)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil || !slices.Contains(p.Untold, j.name) {
		return err
	}
	if t.Dry != nil {
		t.Dry("tell " + j.name)
		return nil
	}
	t.step("tell " + j.name)
	if err := j.tell(); err != nil {
		return err
	}
	var untold []string
	for _, name := range p.Untold {
		if name != j.name {
			untold = append(untold, name)
		}
	}
	p.Untold = untold
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
