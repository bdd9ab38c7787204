package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/netconf"
)

// namespaces are the network namespaces that an agent has a hand in, each
// opened once for all its links.
type namespaces struct {
	mu   sync.Mutex
	open map[string]*netconf.Namespace
}

// get returns a namespace by its name; "" is the agent's own.
func (n *namespaces) get(name string) (*netconf.Namespace, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ns := n.open[name]; ns != nil {
		return ns, nil
	}
	ns, err := netconf.OpenNamespace(name)
	if err != nil {
		return nil, err
	}
	if n.open == nil {
		n.open = map[string]*netconf.Namespace{}
	}
	n.open[name] = ns
	return ns, nil
}

// forget has a namespace opened anew when it is asked for the next time.
func (n *namespaces) forget(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, name)
}

// namespacesOf are the namespaces that patterns name in full, and the agent's
// own.
func namespacesOf(patterns []config.Pattern) []string {
	seen := map[string]bool{"": true}
	list := []string{""}
	for _, p := range patterns {
		if name := p.Namespace(); !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	return list
}

// namespaceWait is how often a namespace that is not there is looked for.
const namespaceWait = 5 * time.Second

// sight tells of the links of a namespace until ctx ends. One with a name is
// waited for where it is not there yet, or is not any more.
func (s *shared) sight(ctx context.Context, namespace string, out chan<- agent.Sighting) error {
	said := ""
	for {
		err := s.sightOnce(ctx, namespace, out)
		switch {
		case ctx.Err() != nil:
			return nil
		case namespace == "":
			return err
		case err == nil:
			s.log.Info("the network namespace was deleted; what was kept there is let go", "namespace", namespace)
		case !errors.Is(err, netconf.ErrNoNamespace) && err.Error() != said:
			said = err.Error()
			s.log.Warn("the network namespace is looked for again and again", "namespace", namespace, "error", err)
		}
		select {
		case <-time.After(namespaceWait):
		case <-ctx.Done():
			return nil
		}
	}
}

// sightOnce tells of the links of a namespace until its name is gone, and then
// that they are. Others still have the namespace open for a moment; what we have
// of it is closed when they are done.
func (s *shared) sightOnce(ctx context.Context, namespace string, out chan<- agent.Sighting) error {
	ns, err := s.namespaces.get(namespace)
	if err != nil {
		return err
	}
	defer s.namespaces.forget(namespace)
	s.forgetLost(ns)
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	links, err := netconf.WatchLinks(watching, ns)
	if err != nil {
		return err
	}
	if namespace != "" {
		go func() {
			err := ns.Deleted(watching)
			if err == nil {
				cancel()
			} else if watching.Err() == nil {
				s.log.Warn("nobody will notice that the network namespace is deleted", "namespace", namespace, "error", err)
			}
		}()
	}
	there := map[int]agent.Link{}
	for l := range links {
		if !socket.Supports(l.Type) {
			continue
		}
		seen := agent.Link{
			Name: l.Name, Namespace: namespace, Index: l.Index, Hardware: l.Addr.String(),
			Carrier: l.Carrier, Down: l.Flags&unix.IFF_UP == 0, Port: l.Port, Touched: l.Touched,
		}
		if there[l.Index] = seen; l.Gone {
			delete(there, l.Index)
		}
		if !tell(ctx, out, agent.Sighting{Gone: l.Gone, Link: seen}) {
			return nil
		}
	}
	for _, l := range there {
		if !tell(ctx, out, agent.Sighting{Gone: true, Link: l}) {
			return nil
		}
	}
	return nil
}

func tell(ctx context.Context, out chan<- agent.Sighting, s agent.Sighting) bool {
	select {
	case out <- s:
		return true
	case <-ctx.Done():
		return false
	}
}

// forgetLost undoes what is left of links that went away while nobody kept them:
// what resolvers, at boot and later, were told, and rules.
func (s *shared) forgetLost(ns *netconf.Namespace) {
	for _, dir := range []string{s.settings.StateDir, bootDir(s.settings.RunDir)} {
		cfg := netconf.Config{Namespace: ns, RunDir: s.settings.RunDir, StateDir: dir, Log: s.log}
		lost, err := netconf.Lost(cfg)
		for _, name := range lost {
			link := agent.Link{Name: name, Namespace: ns.Name()}.FullName()
			if _, held := holderOf(s.settings.RunDir, link); held {
				continue // who has it sees to it
			}
			s.log.Info("the link went away while nobody kept it; what its lease did to the rest of the host is undone", "link", link)
			err = errors.Join(err, netconf.Forget(name, cfg))
		}
		if err != nil {
			s.log.Warn("links that went away", "error", err)
		}
	}
}
