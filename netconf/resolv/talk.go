package resolv

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/netconf/dbus"
)

// A talk is one conversation with systemd-resolved.
type talk struct {
	conn *dbus.Conn
	step steps
	dry  *rehearsal // nil: it is meant
}

const (
	resolve1   = "org.freedesktop.resolve1"
	manager    = resolve1 + ".Manager"
	linkObject = resolve1 + ".Link"
	objectPath = dbus.Path("/org/freedesktop/resolve1")
	noSuchLink = resolve1 + ".NoSuchLink"
	linkBusy   = resolve1 + ".LinkBusy" // systemd-networkd manages it
)

func (r *Resolved) talk() (talk, error) {
	c, err := dbus.Open(r.socket, time.Now().Add(busLimit))
	return talk{c, r.Step, r.dry}, err
}

// answers reports whether there is a systemd-resolved, starting it if the bus
// can.
func (r *Resolved) answers() error {
	t, err := r.talk()
	if err != nil {
		return err
	}
	return errors.Join(t.ping(), t.conn.Close())
}

func (t talk) ping() error {
	_, err := t.conn.Call(dbus.Method{Dest: resolve1, Path: objectPath, Interface: "org.freedesktop.DBus.Peer", Name: "Ping"}, "")
	return err
}

// sameNamespace makes sure that an index means the same link there as here.
// Where that cannot be asked, for lack of rights, it is believed.
func (t talk) sameNamespace() error {
	out, err := t.conn.Call(dbus.Method{Dest: "org.freedesktop.DBus", Path: "/org/freedesktop/DBus", Interface: "org.freedesktop.DBus", Name: "GetConnectionUnixProcessID"}, "s", resolve1)
	if err != nil && !dbus.Is(err, "org.freedesktop.DBus.Error.NameHasNoOwner") {
		return err
	}
	if err != nil { // it is started by what comes next
		return nil
	}
	pid, _ := firstOf[uint32](out)
	theirs, err := os.Stat(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil
	}
	ours, err := os.Stat("/proc/thread-self/ns/net")
	if err == nil && !os.SameFile(theirs, ours) {
		return ErrNamespace
	}
	return nil
}

// firstOf is the first of values, if it is a T.
func firstOf[T any](values []any) (v T, ok bool) {
	if len(values) > 0 {
		v, ok = values[0].(T)
	}
	return v, ok
}

// look tells what systemd-resolved has for the link of an index.
func (t talk) look(index int) (linkState, error) {
	if t.dry != nil {
		if s, told := t.dry.links[index]; told {
			return s, nil
		}
	}
	return t.ask(index)
}

// ask asks it.
func (t talk) ask(index int) (s linkState, err error) {
	out, err := t.conn.Call(dbus.Method{Dest: resolve1, Path: objectPath, Interface: manager, Name: "GetLink"}, "i", int32(index))
	if err != nil {
		return s, err
	}
	path, _ := firstOf[dbus.Path](out)
	out, err = t.conn.Call(dbus.Method{Dest: resolve1, Path: path, Interface: "org.freedesktop.DBus.Properties", Name: "GetAll"}, "s", linkObject)
	if err != nil {
		return s, err
	}
	s.modes = linkModes{}
	pairs, _ := firstOf[[]any](out)
	for _, p := range pairs {
		pair, _ := p.([]any)
		if len(pair) != 2 {
			continue
		}
		name, _ := pair[0].(string)
		v, _ := pair[1].(dbus.Variant)
		s.property(name, v.Value)
	}
	s.guess()
	return s, nil
}

// change calls a method that changes the link of an index.
func (t talk) change(method string, index int, sig string, args ...any) error {
	if t.dry != nil {
		return t.rehearse(method, index, args)
	}
	t.step.step("call %s", method)
	_, err := t.conn.Call(dbus.Method{Dest: resolve1, Path: objectPath, Interface: manager, Name: method}, "i"+sig, append([]any{int32(index)}, args...)...)
	if dbus.Is(err, linkBusy) {
		return &ManagedError{resolvedName + "'s part of the link", networkd}
	}
	return err
}

// give makes the difference between two states of a link's names.
func (t talk) give(index int, now, want linkNames) error {
	if !slices.Equal(now.Servers, want.Servers) {
		method, sig, list := serverArgs(want.Servers)
		if err := t.change(method, index, sig, list); err != nil {
			return err
		}
	}
	if sameDomains(now.Domains, want.Domains) {
		return nil
	}
	list := []any{}
	for _, d := range want.Domains {
		list = append(list, []any{d.Name, d.Route})
	}
	return t.change("SetLinkDomains", index, "a(sb)", list)
}

// serverArgs are the arguments of the method that sets them: of the older one if
// that can say it all.
func serverArgs(in []linkServer) (method, sig string, list []any) {
	family := func(s linkServer) int32 {
		if s.Addr.Is4() {
			return unix.AF_INET
		}
		return unix.AF_INET6
	}
	plain, full := []any{}, []any{}
	more := false
	for _, s := range in {
		more = more || s.Port != 0 || s.Name != ""
		plain = append(plain, []any{family(s), s.Addr.AsSlice()})
		full = append(full, []any{family(s), s.Addr.AsSlice(), s.Port, s.Name})
	}
	if more {
		return "SetLinkDNSEx", "a(iayqs)", full
	}
	return "SetLinkDNS", "a(iay)", plain
}

// giveModes sets again what a revert took along.
func (t talk) giveModes(index int, now, want linkModes) error {
	var errs []error
	for _, name := range modeNames() {
		if now[name] == want[name] {
			continue
		}
		sig, value := "s", any(want[name])
		if name == modeNegative {
			list := []any{}
			for _, n := range strings.Fields(want[name]) {
				list = append(list, n)
			}
			sig, value = "as", list
		}
		errs = append(errs, t.change("SetLink"+name, index, sig, value))
	}
	return errors.Join(errs...)
}
