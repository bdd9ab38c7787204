package metrics

import (
	"slices"
	"sync"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// Config is what a registry says of the program as a whole.
type Config struct {
	Version string       // of lessee
	Start   time.Time    // when the program started; the zero Time leaves it out
	Memory  func() int64 // bytes resident, 0 if unknown; nil leaves it out. [ResidentMemory] is one
}

// A Registry holds the counters of all links. It is safe for concurrent use.
type Registry struct {
	cfg Config

	mu    sync.Mutex
	links map[string]*Link
}

// New returns a registry without links.
func New(cfg Config) *Registry {
	return &Registry{cfg: cfg, links: map[string]*Link{}}
}

// Link returns the counters of the link with that name, which are new and zero
// if there was none.
func (r *Registry) Link(name string) *Link {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.links[name]
	if l == nil {
		l = newLink(name)
		r.links[name] = l
	}
	return l
}

// Observe counts an event of a link's client; it fits agent.Config.Observe.
func (r *Registry) Observe(link string, e client.Event) { r.Link(link).Observe(e) }

// Told counts what an agent tells of beside that: clients that are begun anew.
// It fits agent.Config.Told.
func (r *Registry) Told(e agent.Event) {
	switch e.Kind {
	case agent.KindFailed, agent.KindPanicked:
		r.Link(e.Link).restarted(e.Kind == agent.KindPanicked)
	}
}

// Forget removes all series of a link. What is still counted by
// its Link is lost. It fits agent.Config.Forgotten.
func (r *Registry) Forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.links, name)
}

// snapshot copies all counters, in the order of the links' names.
func (r *Registry) snapshot() []counts {
	r.mu.Lock()
	links := make([]*Link, 0, len(r.links))
	for _, name := range sortedKeys(r.links) {
		links = append(links, r.links[name])
	}
	r.mu.Unlock()
	out := make([]counts, len(links))
	for i, l := range links {
		out[i] = l.snapshot()
	}
	return out
}

// sortedKeys sorts names and not what they stand for: sorting by each type is
// code of its own.
func sortedKeys[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
