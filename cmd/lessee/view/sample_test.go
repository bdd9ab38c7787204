package view

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// now is when all samples are looked at.
var now = time.Date(2026, 3, 1, 12, 19, 0, 0, time.FixedZone("CET", 3600))

func ago(d time.Duration) time.Time { return now.Add(-d) }

func pointer[T any](v T) *T { return &v }

// granted is a lease that began some time ago.
func granted(addr, server string, since, whole time.Duration) *lease.Lease {
	start := ago(since).UTC()
	l := &lease.Lease{Addr: netip.MustParsePrefix(addr), Server: netip.MustParseAddr(server), Start: start}
	if whole > 0 {
		l.T1, l.T2, l.Expiry = start.Add(whole/2), start.Add(whole*7/8), start.Add(whole)
	}
	l.Options = dhcptest.MustOptions("subnet-mask=24", "routers="+server, "domain-name-servers="+server+",192.0.2.53",
		"domain-name=example.org", "interface-mtu=68", "classless-static-routes=10.0.0.0/8 via "+server+", 0.0.0.0/0 via "+server)
	l.Options.Put(224, []byte{1, 2, 0xff})
	return l
}

// withLease is a link that has one.
func withLease(link, state string, l *lease.Lease) agent.Status {
	s := agent.Status{Link: link, State: state, Carrier: true, Hardware: "02:00:5e:10:00:01", Probe: "fast", Since: l.Start, Lease: l}
	if !l.Infinite() {
		s.SecondsLeft = pointer(int64(l.Expiry.Sub(now) / time.Second))
		s.Next = l.T1
	}
	return s
}

// samples are links in all sorts of states.
func samples() []agent.Status {
	hour := withLease("eth0", "BOUND", granted("192.0.2.140/24", "192.0.2.1", 19*time.Minute, time.Hour))
	hour.Problem = &agent.Problem{Time: ago(3 * 24 * time.Hour), Kind: "no server answered", Text: "no acceptable offer to 4 DHCPDISCOVER"}
	renewing := withLease("wlp0s20f3", "RENEWING", granted("192.168.178.123/24", "192.168.178.1", 14*time.Hour, 24*time.Hour))
	rebinding := withLease("eth1@blue", "REBINDING", granted("10.0.0.7/8", "10.255.255.254", 55*time.Minute, time.Hour))
	rebinding.Problem = &agent.Problem{Time: ago(90 * time.Second), Kind: "host not configured", Text: "add 10.0.0.7/8 to eth1: operation not permitted; next try in 30s"}
	forEver := withLease("br0", "BOUND", granted("198.51.100.2/30", "198.51.100.1", 400*24*time.Hour, 0))
	short := withLease("veth1", "BOUND", granted("192.0.2.9/32", "192.0.2.1", time.Second, 5*time.Second))
	unplugged := withLease("enp3s0", "BOUND", granted("192.0.2.77/24", "192.0.2.1", 40*time.Minute, 8*time.Hour))
	unplugged.Carrier = false
	return []agent.Status{
		hour, renewing, rebinding, forEver, short, unplugged,
		{
			Link: "eth2", State: "INIT", Carrier: true, Since: ago(4 * time.Second), Next: now.Add(6 * time.Second),
			Problem: &agent.Problem{Time: ago(4 * time.Second), Kind: "refused by server", Text: `DHCPNAK from 192.0.2.1: "wrong \"network\", says\x1b[31m 中文 server"`},
		},
		{Link: "eth3", State: "SELECTING", Carrier: true, Paused: true, Since: ago(time.Hour), Try: 3},
		{
			Link: "usb0", State: agent.Failed, Carrier: true, Since: ago(2 * time.Second), Next: now.Add(8 * time.Second),
			Problem: &agent.Problem{Time: ago(2 * time.Second), Kind: agent.KindFailed, Text: "open a packet socket on usb0: operation not permitted"},
		},
		{Link: "wwan0", State: agent.Absent, Since: ago(26 * time.Hour)},
	}
}

// full is a link with everything that can be said of one.
func full() agent.Status {
	s := samples()[0]
	at := func(d time.Duration, kind machine.Cause, from, to, text string) agent.Event {
		return agent.Event{Time: ago(d), Link: s.Link, Kind: string(kind), From: from, State: to, Text: text}
	}
	s.Events = []agent.Event{
		at(72*time.Hour, machine.CauseNoServer, "SELECTING", "SELECTING", "no acceptable offer to 4 DHCPDISCOVER"),
		at(19*time.Minute, machine.CauseChosen, "SELECTING", "SELECTING", "192.0.2.140 from 192.0.2.1"),
		at(19*time.Minute, machine.CauseSent, "SELECTING", "REQUESTING", "DHCPREQUEST"),
		at(19*time.Minute, machine.CauseBound, "APPLYING", "BOUND", ""),
	}
	last := &s.Events[3]
	last.Address, last.Server, last.Expiry = s.Lease.Addr, s.Lease.Server, s.Lease.Expiry
	s.Offers = []agent.Offer{
		{Server: "192.0.2.1", Address: "192.0.2.140/24", Seconds: pointer(uint32(3600)), Chosen: true},
		{Server: "192.0.2.3", Address: "192.0.2.9/24", Seconds: pointer(uint32(dhcp4.Infinite)), Why: "another offer comes from the former server"},
		{Address: "192.0.2.10/32", Why: "server identifier: not set"},
	}
	s.Refused = []agent.Refusal{{What: "mtu 68", Why: "smaller than the 576 bytes that every host must accept (RFC 2131, section 2)"}}
	s.Overrides = []agent.Override{
		{Code: 42, Name: "ntp-servers", How: "supersede", Sent: "192.0.2.1", From: "--supersede"},
		{Code: 119, Name: "domain-search", How: "append", From: "/etc/lessee/lessee.toml:12 [link.enp3s0.override]"},
	}
	s.Counts = map[string]int{"bound": 1, "extended": 12, "no server answered": 3, "sent": 40}
	return s
}

// explained is an explanation with everything that can be said.
func explained() agent.Explanation {
	s := full()
	return agent.Explanation{
		Link: s.Link, Address: s.Lease.Addr.String(), Message: "DHCPACK", Server: s.Lease.Server, Time: s.Lease.Start,
		Host: []agent.Fact{
			{Kind: "address", What: s.Lease.Addr.String(), From: "yiaddr and option 1 (subnet-mask)", Options: []int{1}},
			{Kind: "route", What: "default via 192.0.2.1 src 192.0.2.140 metric 1002", From: "option 3 (routers)", Options: []int{3}},
			{Kind: "name server", What: "127.0.0.1", From: "option 6 (domain-name-servers), prepend of /etc/lessee/lessee.toml:12 [link.enp3s0.override]", Options: []int{6}},
		},
		Options: []agent.Fate{
			{Code: 1, Name: "subnet-mask", Sent: "255.255.255.0", For: []string{"address " + s.Lease.Addr.String(), "route 192.0.2.0/24"}},
			{Code: 3, Name: "routers", Sent: "192.0.2.1,192.0.2.2", For: []string{"route default via 192.0.2.1"}, Not: []agent.Refusal{{What: "router 192.0.2.2", Why: "there is one default route, by the first router"}}},
			{Code: 224, Name: "option-224", Sent: "0x0102", Not: []agent.Refusal{{What: "0x0102", Why: "unknown to lessee; it is shown, and handed on; it was not asked for"}}},
		},
	}
}
