package control

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// A fake is an agent with link eth0, which does what a test says.
type fake struct {
	do   func(ctx context.Context, link string, c Command) (agent.Status, error) // nil: it works
	err  error                                                                   // of everything else
	none bool                                                                    // there is no link

	mu     sync.Mutex
	did    []string
	events chan agent.Event // of the last subscription
}

func (f *fake) note(text string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.did = append(f.did, text)
	return f.err
}

// done is what was called, in order.
func (f *fake) done() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.did...)
}

func (f *fake) List(context.Context) ([]agent.Status, error) {
	if f.none {
		return nil, f.note("List")
	}
	return []agent.Status{everything()}, f.note("List")
}

func (f *fake) Status(_ context.Context, link string) (agent.Status, error) {
	return f.known(link, "Status "+link)
}

func (f *fake) known(link, what string) (agent.Status, error) {
	err := f.note(what)
	if link != "eth0" {
		return agent.Status{}, fmt.Errorf("wrapped: %w", &Error{Name: NameNoSuchLink})
	}
	return everything(), err
}

func (f *fake) Do(ctx context.Context, link string, c Command) (agent.Status, error) {
	s, err := f.known(link, string(c)+" "+link)
	if err == nil && f.do != nil {
		return f.do(ctx, link, c)
	}
	return s, err
}

func (f *fake) Explain(_ context.Context, link string) (agent.Explanation, error) {
	_, err := f.known(link, "Explain "+link)
	return explained(), err
}

// explained says everything that an explanation can.
func explained() agent.Explanation {
	o := everything().Overrides
	return agent.Explanation{
		Link: "eth0", Address: "192.0.2.140/24", Message: "DHCPACK", Server: netip.MustParseAddr("192.0.2.1"), Time: noon,
		Host:    []agent.Fact{{Kind: "name server", What: "192.0.2.1", From: "option 6", Options: []int{6}, Overrides: o}},
		Options: []agent.Fate{{Code: 6, Name: "domain-name-servers", Sent: "192.0.2.1", For: []string{"name server 192.0.2.1"}, Not: everything().Refused}},
	}
}

func (f *fake) Inform(_ context.Context, link string) (agent.Informed, error) {
	s, err := f.known(link, "Inform "+link)
	if err != nil {
		return agent.Informed{}, err
	}
	return agent.Informed{Lease: *s.Lease, Overrides: s.Overrides}, nil
}

func (f *fake) Subscribe(_ context.Context, link string) (<-chan agent.Event, error) {
	if link != "" {
		if _, err := f.known(link, "Subscribe "+link); err != nil {
			return nil, err
		}
	} else if err := f.note("Subscribe"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = make(chan agent.Event)
	return f.events, nil
}

// tell sends an event to the last subscriber, which must take it at once.
func (f *fake) tell(t *testing.T, e agent.Event) {
	t.Helper()
	f.mu.Lock()
	events := f.events
	f.mu.Unlock()
	select {
	case events <- e:
	case <-time.After(patience):
		t.Error("nobody takes an event off the agent")
	}
}

// subscribed waits until somebody monitors.
func (f *fake) subscribed(t *testing.T) {
	t.Helper()
	eventually(t, "a subscription", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.events != nil
	})
}

func (f *fake) Reload(context.Context) error { return f.note("Reload") }

func (f *fake) Metrics(context.Context) (string, error) { return "# EOF\n", f.note("Metrics") }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// everything is a status of which every field is set.
func everything() agent.Status {
	var options dhcp4.Options
	options.Put(dhcp4.Routers.Code, []byte{192, 0, 2, 1})
	options.Put(dhcp4.DNS.Code, []byte{1, 2, 3}) // malformed
	options.Put(224, []byte{0xab})               // unknown
	addr, left, seconds := netip.MustParseAddr("192.0.2.1"), int64(600), uint32(600)
	prefix := netip.MustParsePrefix("192.0.2.140/24")
	addrs, routes := []netip.Addr{addr}, []dhcp4.Route{{Dest: netip.MustParsePrefix("10.0.0.0/8"), Gateway: addr}}
	return agent.Status{
		Link: "eth0", State: "BOUND", Hardware: "02:00:00:00:00:01", Probe: "fast", Carrier: true, Paused: true,
		Since: noon, Next: noon.Add(time.Minute), Try: 2,
		Lease: &lease.Lease{
			Addr: prefix, MaskDerived: true, Server: addr,
			Start: noon, T1: noon.Add(1), T2: noon.Add(2), Expiry: noon.Add(3),
			Broadcast: addr, Routers: addrs, StaticRoutes: routes, ClasslessRoutes: routes, MSRoutes: routes,
			DNS: addrs, Domain: "example.net", Search: []string{"example.net"}, HostName: "host", FQDN: "host.example.net", TimeZone: "Europe/Berlin", NTP: addrs, MTU: 1400, NextServer: addrs[0], BootFile: "pxe.0",
			Encrypted:     []dhcp4.Resolver{{Priority: 1, Name: "dot.example", Addrs: addrs, ALPN: []string{"dot"}, Port: 8853, Params: []byte{0}}},
			CaptivePortal: "https://portal.example",
			Options:       options,
		},
		SecondsLeft: &left,
		Overrides:   []agent.Override{{Code: 6, Name: "domain-name-servers", How: "prepend", Sent: "192.0.2.1", From: "--prepend", Why: "why not"}},
		Problem:     &agent.Problem{Time: noon, Kind: "no server answered", Text: "no answer to 3 DHCPREQUEST"},
		Events:      []agent.Event{event(1)},
		Offers:      []agent.Offer{{Server: "192.0.2.1", Address: "192.0.2.140", Seconds: &seconds, Chosen: true, Why: "why", Options: options}},
		Refused:     []agent.Refusal{{What: "mtu 20", Why: "too small"}},
		Counts:      map[string]int{"bound": 3},
	}
}

// event is the n-th event.
func event(n int) agent.Event {
	return agent.Event{
		Time: noon.Add(time.Duration(n) * time.Second), Link: "eth0", Kind: "bound", From: "APPLYING", State: "BOUND",
		Text: fmt.Sprint(n), Address: netip.MustParsePrefix("192.0.2.140/24"), Server: netip.MustParseAddr("192.0.2.1"), Expiry: noon.Add(time.Hour),
	}
}
