package resolv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Resolvconf is the program resolvconf(8), which merges what it is told of
// links into resolv.conf: openresolv, or Debian's of the same name. What it was
// told of is noted down in a directory that ends with the boot, as its own
// records do. Its methods may be called at the same time, also by several
// Resolvconfs and several processes.
type Resolvconf struct {
	// Step, if not nil, is called before each change to a file and before
	// the program is run, with what is about to be done. Tests die there.
	Step func(what string)

	dir string
	dry func(stdin string, args []string) // of a rehearsal: hears what the program would be run for
}

// NewResolvconf returns the backend for the program that this host has, and
// that is looked for when it is needed. Notes are kept in the directory dir.
func NewResolvconf(dir string) *Resolvconf {
	return &Resolvconf{dir: dir}
}

// String returns "resolvconf".
func (*Resolvconf) String() string { return "resolvconf" }

func (r *Resolvconf) book() book {
	return book{resolver: "resolvconf", dir: r.dir, name: "names-resolvconf.json", step: r.Step, dry: r.dry != nil}
}

// Holds reports whether link has a part.
func (r *Resolvconf) Holds(link string) bool { return r.book().holds(link) }

// Links returns the links that have a part.
func (r *Resolvconf) Links() []string { return r.book().links() }

// Set tells resolvconf of c. What it has been told already changes nothing.
func (r *Resolvconf) Set(link string, c Config) error {
	err := errors.Join(c.check(), checkRecord(link))
	if err == nil {
		err = findProgram().usable()
	}
	if err == nil {
		err = r.book().locked(func(l *ledger) error {
			l.take()
			l.put(&entry{part: part{link, c}})
			if err := r.book().save(l); err != nil {
				return err
			}
			return r.add(link, c)
		})
	}
	if err != nil {
		return fmt.Errorf("name servers of %s: %w", link, err)
	}
	return nil
}

// Unset takes link's part away. The error wraps ErrGone, and that only once, if
// the program is not there any more.
func (r *Resolvconf) Unset(link string) error {
	if !r.Holds(link) {
		return r.book().sweep()
	}
	err := r.book().locked(func(l *ledger) error {
		if l.find(link) == nil {
			return nil
		}
		left := error(nil)
		switch err := r.delete(link); {
		case errors.Is(err, errNoProgram):
			left = r.abandon(link)
		case err != nil:
			return err
		}
		l.drop(link)
		if err := r.giveBack(l); err != nil {
			return err
		}
		return errors.Join(left, r.book().save(l))
	})
	if err != nil {
		return fmt.Errorf("name servers of %s: %w", link, err)
	}
	return nil
}

// Rename gives the part of one link to another, and the other way round: told
// under the new names before the old ones go.
func (r *Resolvconf) Rename(from, to string) error {
	if !r.Holds(from) && !r.Holds(to) {
		return nil
	}
	return r.book().locked(func(l *ledger) error {
		parts := [2]*entry{l.find(from), l.find(to)}
		names := [2]string{to, from}
		now := ledger{Links: slices.Clone(l.Links)}
		for i, e := range parts {
			if e != nil {
				now.put(&entry{part: part{names[i], e.Config}}) // both are noted until the old one is gone
			}
		}
		l.Links = now.Links
		if err := r.book().save(l); err != nil {
			return err
		}
		for i, e := range parts {
			err := error(nil)
			if e != nil {
				err = r.add(names[i], e.Config)
			} else {
				err = r.delete(names[i])
				l.drop(names[i])
			}
			if err != nil {
				return err
			}
		}
		return r.book().save(l)
	})
}

// record is the name of a link's part: programs add their own.
func record(link string) string { return link + ".lessee" }

// checkRecord refuses what the scripts would take for something else, or for
// several things.
func checkRecord(link string) error {
	odd := func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("._-:@+", c))
	}
	if strings.IndexFunc(link, odd) >= 0 || link == "" || strings.ContainsRune(".-~", rune(link[0])) {
		return fmt.Errorf("resolvconf does not take a link named %q: want letters, digits and ._-:@+", link)
	}
	return nil
}

func (r *Resolvconf) add(link string, c Config) error {
	var args []string
	if findProgram().kind == openresolv {
		args = append(args, "-m", fmt.Sprint(c.Metric))
	}
	return r.run(linesOf(c), append(args, "-a", record(link))...)
}

func (r *Resolvconf) delete(link string) error {
	var args []string
	if findProgram().kind == openresolv {
		args = append(args, "-f") // it may be gone
	}
	return r.run("", append(args, "-d", record(link))...)
}

func (r *Resolvconf) run(stdin string, args ...string) error {
	p := findProgram()
	if p.path == "" {
		return errNoProgram
	}
	if r.dry != nil {
		r.dry(stdin, args)
		return nil
	}
	steps(r.Step).step("run resolvconf %s", strings.Join(args, " "))
	return p.run(runLimit, stdin, args...)
}

// linesOf is c as a resolv.conf.
func linesOf(c Config) string {
	var b strings.Builder
	if search := c.search(); len(search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(search, " "))
	}
	for _, a := range c.Servers {
		fmt.Fprintf(&b, "nameserver %s\n", a)
	}
	return b.String()
}
