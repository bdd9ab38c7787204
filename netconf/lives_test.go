package netconf

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
)

// A life is a random sequence of leases and of what the operator does
// meanwhile. All that the operator adds is done to a twin as well, which never
// hears of a lease.
type life struct {
	*rig
	twin  *rig
	rand  *rand.Rand
	host  *Host
	opts  Options
	lease lease.Lease
	undo  []string // what takes the operator's things away again
	story []string
}

// operate lets the operator do something, to both or, where it is taken away
// from us, to the host alone.
func (l *life) operate() {
	l.t.Helper()
	additions := [][2]string{
		{"address add 192.0.2.5/24 dev eth0", "address del 192.0.2.5/24 dev eth0"},
		{"address add 192.0.2.6/24 dev other", "address del 192.0.2.6/24 dev other"},
		{"address add 192.0.2.77/24 dev eth0", "address del 192.0.2.77/24 dev eth0"},
		{"route add default via 172.31.0.9 dev other proto static", "route del default via 172.31.0.9 dev other proto static"},
		{"route add 10.0.0.0/8 via 172.31.0.9 dev other metric 50", "route del 10.0.0.0/8 via 172.31.0.9 dev other metric 50"},
		{"route add 192.0.2.1/32 dev other table 100", "route del 192.0.2.1/32 dev other table 100"},
		{"route add 172.16.0.0/12 dev eth0", "route del 172.16.0.0/12 dev eth0"},
		{"rule add from 192.0.2.77 lookup 7 priority 20004", "rule del from 192.0.2.77 lookup 7 priority 20004"},
	}
	takings := []string{
		"address flush dev eth0 scope global dynamic", "route flush proto dhcp", "rule del from 192.0.2.77 protocol dhcp",
		"route del default proto dhcp dev eth0", "link set eth0 mtu 1500",
	}
	if l.rand.IntN(2) == 0 {
		command := pick1(l.rand, takings...)
		out, err := l.ip(strings.Fields(command)...) // there may be nothing to take
		l.story = append(l.story, fmt.Sprintf("%s (%v %s)", command, err, out))
		return
	}
	a := pick1(l.rand, additions...)
	if slices.Contains(l.undo, a[1]) {
		return
	}
	if out, err := l.ip(strings.Fields(a[0])...); err != nil {
		l.story = append(l.story, fmt.Sprintf("%s is not possible: %s", a[0], out)) // ours is there
		return
	}
	l.story = append(l.story, a[0])
	l.twin.mustIP(a[0])
	l.undo = append(l.undo, a[1])
}

// reopen lets another process go on, with other settings.
func (l *life) reopen() {
	l.t.Helper()
	l.opts = l.newOptions()
	l.host = l.open(l.opts)
	l.story = append(l.story, fmt.Sprintf("another process: %+v", l.opts))
}

// isPlanned demands that the host holds the plan and the operator's things, and
// nothing else.
func (l *life) isPlanned() {
	l.t.Helper()
	p := PlanFor(l.lease, l.host.Options())
	theirs, theirRoutes := l.twin.held()
	got, ourRoutes := l.held()
	want := map[string]bool{"address " + p.Address.Prefix.String(): true}
	for what := range theirs {
		want[what] = true
	}
	for _, r := range p.Routes {
		if !blocks(theirRoutes, r, protoStatic, protoBoot) && !blocks(ourRoutes, r, protoKernel) {
			r.OnLink = false
			want["route "+r.String()] = true
		}
	}
	for _, r := range p.Rules {
		want["rule "+r.String()] = true
	}
	if p.ARPFilter {
		want["arp_filter 1"] = true
	}
	for what := range got {
		if !want[what] {
			l.fail("%s is too much", what)
		}
	}
	for what := range want {
		if !got[what] {
			l.fail("%s is missing", what)
		}
	}
	mtu, err := l.m.MTU("eth0")
	wantMTU := p.MTU
	if wantMTU == 0 {
		wantMTU = 1500
	}
	if err != nil || mtu != wantMTU {
		l.fail("MTU %d, want %d, %v", mtu, wantMTU, err)
	}
	text, err := os.ReadFile(l.resolvConf())
	if named := strings.Contains(string(text), ".0.53") || strings.Contains(string(text), "192.0.2.53"); err != nil || named != (len(l.lease.DNS) > 0) {
		l.fail("resolv.conf: %q, %v", text, err)
	}
}

func (l *life) fail(format string, args ...any) {
	l.t.Helper()
	l.t.Fatalf(format+"\nafter\n%s\nthe host:\n%s", append(args, strings.Join(l.story, "\n"), l.full())...)
}

// held is what the kernel has, but for what it makes itself of addresses.
func (r *rig) held() (out map[string]bool, routes []kernelRoute) {
	out = map[string]bool{}
	h := r.open(Options{})
	r.m.Must(func() error {
		addrs, err := h.kernel.addrs()
		if err != nil {
			return err
		}
		for _, a := range addrs {
			out["address "+a.Prefix.String()] = true
		}
		rules, err := h.kernel.rules()
		if err != nil {
			return err
		}
		for _, rule := range rules {
			if rule.plain {
				out["rule "+rule.Rule.String()] = true
			}
		}
		on, err := h.kernel.arpFilter()
		if on == 1 {
			out["arp_filter 1"] = true
		}
		return err
	})
	routes = r.routes(h)
	for _, route := range routes {
		if route.proto != protoKernel {
			route.OnLink = false
			out[fmt.Sprintf("route %v", route.Route)] = true
		}
	}
	return out, routes
}

func (r *rig) routes(h *Host) (out []kernelRoute) {
	r.m.Must(func() (err error) {
		out, err = h.kernel.routes(func(kernelRoute) bool { return true })
		return err
	})
	return out
}

// blocks reports whether there is a route of others where ours would be: the
// operator's, or what the kernel made of an address of his.
func blocks(routes []kernelRoute, want Route, protocols ...int) bool {
	return slices.ContainsFunc(routes, func(have kernelRoute) bool {
		return have.key() == want.key() && slices.Contains(protocols, have.proto)
	})
}

const protoKernel, protoBoot, protoStatic = unix.RTPROT_KERNEL, unix.RTPROT_BOOT, unix.RTPROT_STATIC

// live is a life: at its end the host is as the twin is, and without the
// operator's things as in the beginning.
func (l *life) live(beginning string) {
	l.reopen()
	for range 2 + l.rand.IntN(4) {
		switch l.rand.IntN(6) {
		case 0:
			l.reopen()
		case 1, 2:
			if !l.lease.IsZero() {
				l.operate()
			}
		}
		if l.lease.IsZero() || l.rand.IntN(2) == 0 {
			l.lease = l.newLease()
		}
		l.story = append(l.story, fmt.Sprintf("lease %v, routers %v, routes %v %v, MTU %d", l.lease.Addr, l.lease.Routers, l.lease.ClasslessRoutes, l.lease.StaticRoutes, l.lease.MTU))
		if err := l.apply(l.host, l.lease); err != nil {
			l.fail("%v", err)
		}
		l.isPlanned()
	}
	if l.rand.IntN(2) == 0 {
		l.reopen()
	}
	l.withdraw(l.host, lease.Lease{})
	if ours, theirs := sorted(l.inKernel()), sorted(l.twin.inKernel()); ours != theirs {
		l.fail("withdrawn:\n%s", difference(theirs, ours))
	}
	for _, command := range slices.Backward(l.undo) {
		l.mustIP(command)
		l.twin.mustIP(command)
	}
	if end := sorted(l.full()); end != beginning {
		l.fail("in the end:\n%s", difference(beginning, end))
	}
	l.tidy("in the end")
}

// sorted is a state without what is a host's own, in a fixed order: what the
// operator added while we were there may come later in the kernel's lists.
func sorted(state string) string {
	lines := slices.Sorted(strings.Lines(individual.ReplaceAllString(state, "*")))
	return strings.Join(lines, "")
}

func TestTwoHundredLivesEachLeaveTheHostAsItWas(t *testing.T) {
	begin := func() *rig {
		r := newRig(t)
		r.net.Connect(r.m, "other", r.peer, "other")
		r.m.Addr("eth0", "203.0.113.200/32") // with a link's last address its routes go, the operator's too
		r.m.Addr("other", "172.31.0.5/24")
		return r
	}
	host, twin := begin(), begin()
	beginning := sorted(host.full())
	for seed := range uint64(200) {
		l := &life{rig: host, twin: twin, rand: rand.New(rand.NewPCG(seed, 5))}
		l.story = append(l.story, fmt.Sprintf("seed %d", seed))
		l.live(beginning)
	}
}
