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

// sight tells of the links of a namespace until ctx ends. A namespace that is
// not there yet is waited for.
func (s *shared) sight(ctx context.Context, namespace string, out chan<- agent.Sighting) error {
	var links <-chan netconf.Link
	for links == nil {
		ns, err := s.namespaces.get(namespace)
		if err == nil {
			s.forgetLost(ns)
			links, err = netconf.WatchLinks(ctx, ns)
		}
		if err != nil && !errors.Is(err, netconf.ErrNoNamespace) {
			return err
		}
		if links == nil {
			select {
			case <-time.After(namespaceWait):
			case <-ctx.Done():
				return nil
			}
		}
	}
	for l := range links {
		if !socket.Supports(l.Type) {
			continue
		}
		select {
		case out <- agent.Sighting{Gone: l.Gone, Link: agent.Link{
			Name: l.Name, Namespace: namespace, Index: l.Index, Hardware: l.Addr.String(),
			Carrier: l.Carrier, Down: l.Flags&unix.IFF_UP == 0, Port: l.Port, Touched: l.Touched,
		}}:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
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
