package system

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// HostName is the transient name of this host, as sethostname(2) sets it for
// the UTS namespace that the process is in. /etc/hostname is the operator's.
type HostName struct{ Place }

// Name is what one link's lease says of the host's name.
type Name struct {
	Metric int    // the lowest one has its way
	Name   string // checked by BadName
	Always bool   // also on a host that has a name of its own
}

// blank are names that hosts have which have none.
var blank = []string{"", "localhost", "localhost.localdomain", "(none)"}

// isOurName reports whether we called the host so.
func (n *notes) isOurName(now string) bool {
	return n.Set != "" && (now == n.Set || n.Was != "" && now == n.Was)
}

// nextName is how a host that is called now should be called; if that is now, it is
// left alone, and why says for whose sake.
func (n *notes) nextName(now string) (name, why string) {
	switch {
	case len(n.Links) == 0 && n.isOurName(now):
		return n.Name, ""
	case len(n.Links) == 0:
		return now, ""
	}
	want := n.Links[0]
	switch {
	case want.Name == now, n.isOurName(now):
		return want.Name, ""
	case n.Set != "" && (n.Done || now != n.Name):
		return now, fmt.Sprintf("somebody else has called the host %q since", now)
	case !want.Always && !slices.Contains(blank, now):
		return now, fmt.Sprintf("the host has a name of its own, %q (accept-hostname always does not mind)", now)
	}
	return want.Name, ""
}

func (h *HostName) ledger() *ledger {
	return &ledger{
		files: h.notes(false), bootID: h.BootID,
		path: filepath.Join(h.RunDir, "hostname.json"), what: "the host's name",
	}
}

// Set calls the host so, if the link has its way, and if nobody else has a say
// in it.
func (h *HostName) Set(link string, n Name) error {
	if p, err := h.ledger().read(); err == nil && !p.known {
		// Nothing is noted for a host that is not going to be renamed.
		if now, err := nodeName(); err == nil && (now == n.Name || !n.Always && !slices.Contains(blank, now)) {
			return nil
		}
	}
	return h.ledger().change(func(p *page) error {
		p.Links.give(said{Link: link, Metric: n.Metric, Name: n.Name, Always: n.Always})
		return h.settle(p)
	})
}

// Unset takes the link's say away, and with the last one the name.
func (h *HostName) Unset(link string) error { return h.ledger().unset(link, h.settle) }

// Holds reports whether there is anything for Unset to do; whatever link it is
// about, if a process died over it.
func (h *HostName) Holds(link string) bool { return h.ledger().holds(link) }

// Links returns the links of which anything is noted.
func (h *HostName) Links() []string { return h.ledger().links() }

// Rename gives the say of one link to another, and the other's to it.
func (h *HostName) Rename(from, to string) error { return h.ledger().rename(from, to, (*page).save) }

// Own returns what the host is called, or would be called if no lease said how.
func (h *HostName) Own() (string, error) {
	now, err := nodeName()
	if p, errRead := h.ledger().read(); err == nil && errRead == nil && p.isOurName(now) {
		return p.notes.Name, nil
	}
	return now, err
}

// Why tells why the host would not be called so if the link said so now; "" if
// it would.
func (h *HostName) Why(link string, n Name) string {
	now, errNow := nodeName()
	p, err := h.ledger().read()
	if err := errors.Join(errNow, err); err != nil {
		return err.Error()
	}
	p.Links.give(said{Link: link, Metric: n.Metric, Name: n.Name, Always: n.Always})
	if first := &p.Links[0]; first.Link != link {
		return first.hasItsWay()
	}
	_, why := p.nextName(now)
	return why
}

// settle makes the host be called as the notes want it.
func (h *HostName) settle(p *page) error {
	now, err := nodeName()
	if err != nil {
		return err
	}
	n := &p.notes
	name, _ := n.nextName(now)
	switch {
	case name != now:
		err = h.call(p, now, name)
	case now == n.Set:
		n.Was, n.Done = "", true
	}
	switch {
	case err != nil:
		return err
	case len(n.Links) == 0:
		return p.forget()
	case n.Set == "" && len(n.Links) == 1 && n.Links[0].Name == now: // it has that name without us
		return p.forget()
	}
	return p.save()
}

// call renames the host. It is noted down before, and after.
func (h *HostName) call(p *page, now, name string) error {
	n, before := &p.notes, p.notes
	restoring := len(n.Links) == 0
	switch {
	case restoring: // what stood before is noted already
	case n.isOurName(now):
		n.Was, n.Set, n.Done = now, name, false
	default:
		n.Name, n.Was, n.Set, n.Done = now, "", name, false
	}
	if err := p.save(); err != nil {
		return err
	}
	if h.Dry != nil {
		h.Dry("hostname " + name)
		return nil
	}
	h.step("call the host " + name)
	if err := unix.Sethostname([]byte(name)); err != nil {
		if errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w (CAP_SYS_ADMIN is needed; accept-hostname never does without)", err)
		}
		return errors.Join(fmt.Errorf("call the host %q: %w", name, err), p.revert(before, before.isOurName(now)))
	}
	if !restoring {
		n.Was, n.Done = "", true
	}
	return nil
}

// nodeName is what the kernel calls the host.
func nodeName() (string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", fmt.Errorf("the host's name: %w", err)
	}
	return unix.ByteSliceToString(u.Nodename[:]), nil
}
