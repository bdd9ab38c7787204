package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/machine"
)

// Errors that those who ask tell apart.
var (
	ErrNoSuchLink  = errors.New("no such link is kept here")
	ErrNotPossible = errors.New("not possible now")
)

// A Command is what users may ask of a link.
type Command string

// The commands.
const (
	Renew      Command = "renew"     // extend the lease now, asking its server
	Rebind     Command = "rebind"    // extend it now, asking any server
	Reacquire  Command = "reacquire" // verify the lease, or begin to get one
	GiveBack   Command = "release"   // give the lease back; nothing is done until Reacquire
	PauseLink  Command = "pause"     // send nothing; the lease stays until it expires
	ResumeLink Command = "resume"
)

var inputs = map[Command]machine.Input{
	Renew: machine.Renew{}, Rebind: machine.Rebind{}, Reacquire: machine.Reacquire{},
	GiveBack: machine.Release{}, PauseLink: machine.Pause{}, ResumeLink: machine.Resume{},
}

// Do gives a link a command and returns when it is carried out, with the
// link's status then. The error wraps ErrNoSuchLink or ErrNotPossible, or is a
// [*client.Obstacle] that says what stood in the way.
func (a *Agent) Do(ctx context.Context, link string, cmd Command) (Status, error) {
	in, known := inputs[cmd]
	if !known {
		return Status{}, fmt.Errorf("command %q: %w", cmd, ErrNotPossible)
	}
	k, err := a.find(link)
	if err != nil {
		return Status{}, err
	}
	c := k.current.Load()
	if c == nil {
		if cmd == Reacquire {
			k.wake()
		}
		s := k.status()
		return s, fmt.Errorf("%s: %w: %s", link, ErrNotPossible, s.why())
	}
	_, err = c.Do(ctx, in)
	var o *client.Obstacle
	if errors.As(err, &o) && o.Report.Cause == machine.CauseNotPossible {
		err = fmt.Errorf("%s: %w: %s", link, ErrNotPossible, o.Report.Text)
	}
	return k.book.read(c, k.parts.Load()), err
}

// why is the last problem, for an error.
func (s *Status) why() string {
	if s.Problem != nil {
		return s.Problem.Text
	}
	return "it is just being begun"
}

// Inform asks for configuration for the address that the link has (DHCPINFORM).
// Nothing of it is applied.
func (a *Agent) Inform(ctx context.Context, link string) (Informed, error) {
	k, err := a.find(link)
	if err != nil {
		return Informed{}, err
	}
	parts := k.parts.Load()
	if parts == nil || parts.Inform == nil {
		s := k.status()
		return Informed{}, fmt.Errorf("%s: %w: %s", link, ErrNotPossible, s.why())
	}
	var server netip.Addr
	if c := k.current.Load(); c != nil {
		server = c.Status().Lease.Server
	}
	return parts.Inform(ctx, server)
}

// Status returns what holds on one link.
func (a *Agent) Status(link string) (Status, error) {
	k, err := a.find(link)
	if err == nil {
		return k.status(), nil
	}
	for _, s := range a.absent() {
		if s.Link == link {
			return s, nil
		}
	}
	return Status{}, err
}

// List returns what holds on each link, in the order of their names; also of
// those that are wanted by name and not there.
func (a *Agent) List() []Status {
	list := a.absent()
	for _, k := range a.all() {
		list = append(list, k.status())
	}
	SortByLink(list)
	return list
}

// absent returns the links that are wanted by name and not there.
func (a *Agent) absent() (list []Status) {
	a.mu.RLock()
	plan := a.plan
	a.mu.RUnlock()
	for _, name := range plan.Named() {
		if _, err := a.find(name); err != nil {
			list = append(list, Status{Link: name, State: Absent})
		}
	}
	return list
}
