package resolv

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/lessee/lessee/netconf/dbus"
)

// A Resolved is systemd-resolved (org.freedesktop.resolve1(5)), which keeps
// name servers and domains for each link. What a link had before is noted down
// in a directory that ends with the boot, and put back at the end, unless
// somebody has changed it since. Its methods may be called at the same time,
// also by several Resolveds and several processes.
//
// The bus is talked to only during a call, and no call takes longer than a few
// seconds.
type Resolved struct {
	// Step, if not nil, is called before each change to a file or to
	// systemd-resolved, with what is about to be done. Tests die there.
	Step func(what string)

	socket, dir string
	said        said
	dry         *rehearsal // nil: it is meant
}

// NewResolved returns the backend for the systemd-resolved on the bus whose
// socket is given (see [dbus.SystemBus]), which keeps its notes in the directory
// dir.
func NewResolved(socket, dir string) *Resolved {
	return &Resolved{socket: socket, dir: dir}
}

const resolvedName = "systemd-resolved"

// String returns "systemd-resolved".
func (*Resolved) String() string { return resolvedName }

func (r *Resolved) book() book {
	return book{resolver: resolvedName, dir: r.dir, name: "names-resolved.json", step: r.Step, dry: r.dry != nil}
}

// Holds reports whether link has a part.
func (r *Resolved) Holds(link string) bool { return r.book().holds(link) }

// Links returns the links that have a part.
func (r *Resolved) Links() []string { return r.book().links() }

// ErrNamespace says that systemd-resolved does not know a link, because that is
// in another network namespace.
var ErrNamespace = errors.New("is in another network namespace than systemd-resolved, which cannot know it")

// Set hands c to systemd-resolved. If somebody has changed what we set, that is
// left alone for as long as there is nothing new to say. The error wraps
// ErrNamespace for links that it does not know.
func (r *Resolved) Set(link string, c Config) error {
	err := c.check()
	if err == nil {
		err = r.conversation(link, func(t talk, l *ledger) error { return r.set(t, l, link, c) })
	}
	if err != nil {
		return fmt.Errorf("name servers of %s: %w", link, err)
	}
	r.said.note(link, c)
	return nil
}

// conversation runs f with the ledger and the bus.
func (r *Resolved) conversation(link string, f func(talk, *ledger) error) (err error) {
	if strings.Contains(link, "@") {
		return fmt.Errorf("%s %w", link, ErrNamespace)
	}
	t, err := r.talk()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.conn.Close()) }()
	// Whether anybody answers is found out before others have to wait.
	if err := t.ping(); err != nil {
		return err
	}
	if err := t.sameNamespace(); err != nil {
		return fmt.Errorf("%s %w", link, err)
	}
	return r.book().locked(func(l *ledger) error {
		if err := t.conn.Until(time.Now().Add(busLimit)); err != nil {
			return err
		}
		return f(t, l)
	})
}

func (r *Resolved) set(t talk, l *ledger, link string, c Config) error {
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		return err
	}
	now, err := t.look(ifi.Index)
	if err != nil {
		return err
	}
	e := l.find(link)
	switch known := e != nil && e.Index == ifi.Index; {
	case known && (e.isOurs(now.linkNames) || now.linkNames.equal(e.Before) || now.linkNames.isZero()):
		// What is to come back stays the same.
	case known && r.said.before(link, c):
		return &ManagedError{resolvedName + "'s part of " + link, "somebody who changed it after us"}
	case known:
		e.leave(now.linkNames)
	default:
		e = &entry{part: part{Link: link}, Index: ifi.Index, Before: now.linkNames}
	}
	if e.Revert != nil { // somebody died over an Unset
		if err := t.giveModes(e.Index, now.modes, e.Revert); err != nil {
			return err
		}
		e.Revert = nil
	}
	e.Config = c
	e.want(namesOf(c, now.modes[modeOverTLS]))
	l.put(e)
	if err := r.book().save(l); err != nil {
		return err
	}
	if err := t.give(e.Index, now.linkNames, e.Ours); err != nil {
		return err
	}
	return r.sortOut(t, l, "")
}

// Unset puts back what systemd-resolved had for link before.
func (r *Resolved) Unset(link string) error {
	r.said.forget(link)
	if !r.Holds(link) {
		return r.book().sweep()
	}
	err := r.conversation(link, func(t talk, l *ledger) error { return r.unset(t, l, link) })
	if err != nil {
		return fmt.Errorf("name servers of %s: %w", link, err)
	}
	return nil
}

func (r *Resolved) unset(t talk, l *ledger, link string) error {
	e := l.find(link)
	if e == nil {
		return nil
	}
	if err := r.sortOut(t, l, link); err != nil { // so that somebody answers all the time
		return err
	}
	now, err := t.look(e.Index)
	var left error
	switch {
	case dbus.Is(err, noSuchLink): // with all that was known of it
	case err != nil:
		return err
	case e.Revert != nil || e.Routed && e.isOurs(now.linkNames):
		err = r.revert(t, l, e, now)
	case e.isOurs(now.linkNames):
		err = t.give(e.Index, now.linkNames, e.Before)
	default:
		if !now.linkNames.isZero() && !now.linkNames.equal(e.Before) {
			left = &ManagedError{resolvedName + "'s part of " + link, "somebody who changed it after us"}
		}
		if e.Routed { // that is still ours
			e.leave(now.linkNames)
			err = r.revert(t, l, e, now)
		}
	}
	if err != nil && !dbus.Is(err, noSuchLink) {
		return err
	}
	l.drop(link)
	return errors.Join(left, r.book().save(l))
}

// revert puts back what stood there before on a link of which we said whether
// it answers for all names. Only RevertLink unsets that, and it takes along what
// the operator has set beside name servers and domains: that is noted down, and
// set again.
func (r *Resolved) revert(t talk, l *ledger, e *entry, now linkState) error {
	if e.Revert == nil {
		e.Revert = now.modes
		if err := r.book().save(l); err != nil {
			return err
		}
	}
	if err := t.change("RevertLink", e.Index, ""); err != nil {
		return err
	}
	bare, err := t.look(e.Index)
	if err != nil {
		return err
	}
	errs := []error{t.giveModes(e.Index, bare.modes, e.Revert), t.give(e.Index, bare.linkNames, e.Before)}
	if said := e.Before.Set; said != "" {
		errs = append(errs, t.change("SetLinkDefaultRoute", e.Index, "b", said == yes))
	}
	return errors.Join(errs...)
}

// Rename gives the part of one link to another, and the other way round.
// systemd-resolved knows links by their index, and hears nothing of it.
func (r *Resolved) Rename(from, to string) error {
	r.said.forget(from, to)
	if !r.Holds(from) && !r.Holds(to) {
		return nil
	}
	return r.book().locked(func(l *ledger) error {
		a, b := l.find(from), l.find(to)
		if a != nil {
			a.Link = to
		}
		if b != nil {
			b.Link = from
		}
		return r.book().save(l)
	})
}

// busLimit is how long a conversation may take: systemd-resolved answers in
// milliseconds, and may have to be started first.
const busLimit = 4 * time.Second
