package system

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// TimeZone is the time zone of this host: the symbolic link /etc/localtime
// (localtime(5)), and where there is one Debian's /etc/timezone, which has the
// zone's name as text. Debian's own tools change both together, and some
// programs believe the one and some the other.
type TimeZone struct{ Place }

// Zone is what one link's lease says of the time zone.
type Zone struct {
	Metric int    // the lowest one has its way
	Name   string // checked by BadZone
}

// The files of the time zone.
const (
	localtime = "/etc/localtime"
	timezone  = "/etc/timezone"
)

// isOurZone reports whether /etc/localtime is one that we made.
func (n *notes) isOurZone(now *stand) bool {
	return n.Set != "" && (now.isZone(n.Set) || n.Was != "" && now.isZone(n.Was))
}

// isOurText reports whether /etc/timezone is one that we wrote.
func (n *notes) isOurText(now *stand) bool {
	return n.Set != "" && now.Kind == isFile && (string(now.Text) == n.Set+"\n" || n.Was != "" && string(now.Text) == n.Was+"\n")
}

// nextZone is the zone that a host should have where /etc/localtime is now; "" leaves
// that alone, and why says for whose sake.
func (n *notes) nextZone(now *stand) (zone, why string) {
	want := n.Links[0].Name
	if n.Set != "" && !n.isOurZone(now) && !now.isZone(want) && (n.Done || !now.equal(n.Localtime)) {
		return "", "somebody else has changed " + localtime + " since"
	}
	return want, ""
}

func (z *TimeZone) ledger() *ledger {
	return &ledger{
		files: z.notes(true), path: filepath.Join(z.StateDir, "timezone.json"), what: "the time zone",
	}
}

// Set gives the host the zone, if the link has its way, and if nobody has
// changed it since an earlier Set.
func (z *TimeZone) Set(link string, zone Zone) error {
	if p, err := z.ledger().read(); err == nil && !p.known {
		if now, err := look(localtime); err == nil && now.isZone(zone.Name) {
			return nil // it is so without us
		}
	}
	return z.ledger().change(func(p *page) error {
		p.Links.give(said{Link: link, Metric: zone.Metric, Name: zone.Name})
		return z.settle(p)
	})
}

// Unset takes the link's say away, and with the last one puts back what stood
// before.
func (z *TimeZone) Unset(link string) error { return z.ledger().unset(link, z.settle) }

// Holds reports whether there is anything for Unset to do; whatever link it is
// about, if a process died over it.
func (z *TimeZone) Holds(link string) bool { return z.ledger().holds(link) }

// Links returns the links of which anything is noted.
func (z *TimeZone) Links() []string { return z.ledger().links() }

// Rename gives the say of one link to another, and the other's to it.
func (z *TimeZone) Rename(from, to string) error { return z.ledger().rename(from, to, (*page).save) }

// Adopt takes over what a process has noted in another directory than StateDir,
// such as one at boot that could not rely on that. If the zone is not as that
// process left it, or it found none, then its /etc may have been another one, and
// what it noted is dropped.
func (z *TimeZone) Adopt(dir string) error {
	from := TimeZone{z.Place}
	from.StateDir = dir
	if p, err := from.ledger().read(); err == nil && !p.known {
		return nil
	}
	return z.ledger().change(func(ours *page) error {
		return from.ledger().change(func(theirs *page) error {
			now, err := look(localtime)
			if err != nil {
				return explain(err)
			}
			if theirs.isOurZone(now) && theirs.Localtime != nil && theirs.Localtime.Kind != isAbsent {
				if ours.isOurZone(theirs.Localtime) { // it found what we had put there
					theirs.Localtime, theirs.Timezone = ours.Localtime, ours.Timezone
				}
				ours.notes = theirs.notes
				if err := ours.save(); err != nil {
					return err
				}
			}
			return theirs.forget()
		})
	})
}

// Why tells why the host would not get the zone if the link said so now; "" if
// it would.
func (z *TimeZone) Why(link string, zone Zone) string {
	now, errNow := look(localtime)
	p, err := z.ledger().read()
	if err := errors.Join(errNow, err); err != nil {
		return err.Error()
	}
	p.Links.give(said{Link: link, Metric: zone.Metric, Name: zone.Name})
	if first := &p.Links[0]; first.Link != link {
		return first.hasItsWay()
	}
	_, why := p.nextZone(now)
	return why
}

// settle gives the host the zone that the notes want.
func (z *TimeZone) settle(p *page) error {
	now, err := look(localtime)
	text, errText := look(timezone)
	if err := errors.Join(err, errText); err != nil {
		return explain(err)
	}
	n := &p.notes
	if len(n.Links) == 0 {
		return z.restore(p, now, text)
	}
	zone, _ := n.nextZone(now)
	if zone == "" {
		return p.save()
	}
	if n.isOurZone(now) && n.begun() { // the two files may differ: what was begun is finished first
		if now, text, err = z.put(p, now, text); err != nil {
			return err
		}
	}
	before := p.notes
	switch {
	case n.isOurZone(now) && zone != n.Set:
		n.Was, n.Set, n.Done = n.Set, zone, false
	case n.isOurZone(now): // it is there, unless somebody has changed the text
	case n.Set == "" && now.isZone(zone) && len(n.Links) == 1:
		return p.forget() // it is so without us
	default:
		if !n.isOurText(text) {
			n.Timezone = text
		}
		n.Localtime, n.Set, n.Was, n.Done = now, zone, "", false
	}
	if _, _, err = z.put(p, now, text); err == nil {
		return nil
	}
	if again, errLook := look(localtime); errLook == nil && again.equal(now) {
		err = errors.Join(err, p.revert(before, before.isOurZone(now)))
	}
	return err
}

// put notes the zone down and makes both files say it; it returns what they are
// then. What somebody else wrote into the text is left alone.
func (z *TimeZone) put(p *page, now, text *stand) (_, _ *stand, err error) {
	n := &p.notes
	if err = p.save(); err != nil {
		return now, text, err
	}
	if !now.isZone(n.Set) {
		now = &stand{Kind: isLink, Target: zoneinfo + "/" + n.Set}
		err = now.putBack(z.files(true), localtime)
	}
	want := &stand{Kind: isFile, Text: []byte(n.Set + "\n"), Owner: text.Owner}
	if err == nil && text.Kind == isFile && !text.equal(want) && (n.isOurText(text) || text.equal(n.Timezone)) {
		text = want
		err = text.putBack(z.files(true), timezone)
	}
	if err != nil {
		return now, text, fmt.Errorf("time zone %s: %w", n.Set, explain(err))
	}
	n.Was, n.Done = "", true
	return now, text, p.save()
}

// restore puts both files back, unless somebody has changed them since.
func (z *TimeZone) restore(p *page, now, text *stand) error {
	if err := p.save(); err != nil {
		return err
	}
	errs := []error{z.files(true).Sweep(localtime), z.files(true).Sweep(timezone)}
	if p.isOurZone(now) {
		errs = append(errs, p.Localtime.putBack(z.files(true), localtime))
	}
	if p.isOurText(text) {
		errs = append(errs, p.Timezone.putBack(z.files(true), timezone))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("put the time zone back: %w", explain(err))
	}
	return p.forget()
}

// explain adds what helps.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%w (/etc must be writable, or accept-timezone never)", err)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w (it is a mount point; accept-timezone never leaves it alone)", err)
	}
	return err
}
