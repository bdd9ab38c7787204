package resolv

import (
	"testing"

	"github.com/lessee/lessee/client/nettest"
	"github.com/lessee/lessee/netconf/resolvtest"
)

// A rig is a host of a test's own, with links eth0 and eth1 that are up and
// have addresses of the operator's.
type rig struct {
	*resolvtest.Host
	t    *testing.T
	peer *nettest.Machine
	dir  string // for notes
}

func newRig(t *testing.T) *rig {
	t.Helper()
	n := nettest.New(t)
	m := n.Host("host")
	r := &rig{t: t, peer: n.Host("peer"), dir: "/run/lessee"}
	for _, link := range []string{"eth0", "eth1"} {
		n.Connect(m, link, r.peer, link)
	}
	m.Addr("eth0", "192.0.2.2/24")
	m.Addr("eth1", "198.51.100.2/24")
	r.Host = resolvtest.New(t, m, "eth0", "eth1")
	return r
}

// unnoted demands that nothing is noted down any more.
func (r *rig) unnoted(when string) {
	r.t.Helper()
	if left := r.Files(r.dir); left != "" {
		r.t.Fatalf("%s: left over: %s", when, left)
	}
}

func (r *rig) setup() Setup {
	return Setup{Resolver: "auto", Path: Usual, StateDir: r.dir, RunDir: r.dir}
}

func (r *rig) backend() *Resolved { return r.setup().resolved() }

// wants demands what systemd-resolved has for a link; "*" is anything.
func (r *rig) wants(when, link, servers, domains, byDefault string) {
	r.t.Helper()
	for what, want := range map[string]string{"dns": servers, "domain": domains, "default-route": byDefault} {
		if got := r.Resolvectl(what + " " + link); got != want && want != "*" {
			r.t.Errorf("%s: %s of %s: %q, want %q", when, what, link, got, want)
		}
	}
}
