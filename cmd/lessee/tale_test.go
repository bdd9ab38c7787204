package main

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/netconf/hook"
)

func leaseAt(addr string) lease.Lease { return lease.Lease{Addr: netip.MustParsePrefix(addr)} }

// addrOf is the address of a lease that an event has.
func addrOf(l *lease.Lease) string {
	if l == nil {
		return ""
	}
	return l.Addr.Addr().String()
}

func TestEventsFollowFromReports(t *testing.T) {
	a, b := leaseAt("192.0.2.7/24"), leaseAt("192.0.2.8/24")
	other := a
	other.DNS = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	type r = machine.Report
	boundA := []r{{From: machine.Requesting, To: machine.Checking, Cause: machine.CauseGranted, Lease: a},
		{From: machine.Checking, To: machine.Applying, Cause: machine.CauseFree, Lease: a},
		{From: machine.Applying, To: machine.Bound, Cause: machine.CauseBound, Lease: a}}
	after := func(first []r, more ...r) []r { return append(slices.Clone(first), more...) }
	for _, tc := range []struct {
		name    string
		held    *lease.Lease
		reports []r
		want    []string // event, lease, former, and what else there is
	}{
		{"a first lease", nil, boundA, []string{"bound 192.0.2.7"}},
		{"in place of one that was held", &b, boundA, []string{"bound 192.0.2.7 former 192.0.2.8"}},
		{"remembered and confirmed", nil, []r{
			{From: machine.Rebooting, To: machine.Checking, Cause: machine.CauseGranted, Lease: a},
			{From: machine.Applying, To: machine.Bound, Cause: machine.CauseBound, Lease: a}}, []string{"rebooted 192.0.2.7"}},
		{"held and confirmed", &a, []r{
			{From: machine.Rebooting, To: machine.Checking, Cause: machine.CauseGranted, Lease: a},
			{From: machine.Applying, To: machine.Bound, Cause: machine.CauseBound, Lease: a}}, []string{"rebooted 192.0.2.7 former 192.0.2.7"}},
		{"remembered and not confirmed", nil, []r{
			{From: machine.Selecting, To: machine.Selecting, Cause: machine.CauseNoServer},
			{From: machine.Selecting, To: machine.Checking, Cause: machine.CauseUnconfirmed, Lease: a},
			{From: machine.Applying, To: machine.Bound, Cause: machine.CauseUnconfirmed, Lease: a}}, []string{"no-server", "rebooted 192.0.2.7 unconfirmed"}},
		{"held and not confirmed", &a, []r{
			{From: machine.Rebooting, To: machine.Bound, Cause: machine.CauseUnconfirmed, Lease: a}}, []string{"rebooted 192.0.2.7 former 192.0.2.7 unconfirmed"}},
		{"a new one after an unconfirmed one", nil, after([]r{
			{From: machine.Selecting, To: machine.Checking, Cause: machine.CauseUnconfirmed, Lease: b},
			{From: machine.Checking, To: machine.Init, Cause: machine.CauseConflict, Lease: b}}, boundA...), []string{"conflict 192.0.2.8 holder", "bound 192.0.2.7"}},
		{"adopted by a command", nil, []r{{From: machine.Idle, To: machine.Bound, Cause: machine.CauseBound, Lease: a}}, nil},
		{"renewed, when the host has it", nil, after(boundA,
			r{From: machine.Bound, To: machine.Renewing, Cause: machine.CauseRenewalDue, Lease: a},
			r{From: machine.Renewing, To: machine.Bound, Cause: machine.CauseExtended, Lease: a},
			r{From: machine.Bound, To: machine.Bound, Cause: machine.CauseConfigured, Lease: a}),
			[]string{"bound 192.0.2.7", "renewed 192.0.2.7 former 192.0.2.7"}},
		{"renewed, and the host is slow to take it", nil, after(boundA,
			r{From: machine.Renewing, To: machine.Bound, Cause: machine.CauseExtended, Lease: a},
			r{From: machine.Bound, To: machine.Bound, Cause: machine.CauseApplyFailed, Lease: a},
			r{From: machine.Bound, To: machine.Bound, Cause: machine.CauseConfigured, Lease: a},
			r{From: machine.Bound, To: machine.Bound, Cause: machine.CauseConfigured, Lease: a}),
			[]string{"bound 192.0.2.7", "renewed 192.0.2.7 former 192.0.2.7"}},
		{"rebound", nil, after(boundA,
			r{From: machine.Rebinding, To: machine.Bound, Cause: machine.CauseExtended, Lease: b},
			r{From: machine.Bound, To: machine.Bound, Cause: machine.CauseConfigured, Lease: b}),
			[]string{"bound 192.0.2.7", "rebound 192.0.2.8 former 192.0.2.7"}},
		{"a reload makes something else of it", nil, after(boundA,
			r{From: machine.Bound, To: machine.Bound, Cause: machine.CauseConfigured, Lease: other},
			r{From: machine.Bound, To: machine.Bound, Cause: machine.CauseConfigured, Lease: other}),
			[]string{"bound 192.0.2.7", "reconfigured 192.0.2.7 former 192.0.2.7"}},
		{"expired", nil, after(boundA, r{From: machine.Rebinding, To: machine.Init, Cause: machine.CauseExpired, Lease: a}), []string{"bound 192.0.2.7", "expired 192.0.2.7"}},
		{"only remembered, and expired", nil, []r{{From: machine.InitReboot, To: machine.Init, Cause: machine.CauseExpired}}, nil},
		{"granted, and expired before it was used", nil, []r{{From: machine.Checking, To: machine.Init, Cause: machine.CauseExpired, Lease: a}}, nil},
		{"adopted, and expired", nil, []r{{From: machine.Idle, To: machine.Idle, Cause: machine.CauseExpired, Lease: a}}, []string{"expired 192.0.2.7"}},
		{"released", nil, after(boundA, r{From: machine.Bound, To: machine.Idle, Cause: machine.CauseReleased, Lease: a}), []string{"bound 192.0.2.7", "released 192.0.2.7"}},
		{"only remembered, and released", nil, []r{{From: machine.Selecting, To: machine.Idle, Cause: machine.CauseReleased, Lease: a}}, nil},
		{"refused while it is in use", nil, after(boundA, r{From: machine.Renewing, To: machine.Init, Cause: machine.CauseNAK, Lease: a}), []string{"bound 192.0.2.7", "nak 192.0.2.7"}},
		{"refused when it is asked for", nil, []r{{From: machine.Requesting, To: machine.Init, Cause: machine.CauseNAK}}, []string{"nak"}},
		{"in use elsewhere, later", nil, after(boundA, r{From: machine.Bound, To: machine.Init, Cause: machine.CauseConflict, Lease: a}), []string{"bound 192.0.2.7", "conflict 192.0.2.7 holder"}},
		{"nobody answers, again and again", nil, []r{
			{From: machine.Selecting, To: machine.Selecting, Cause: machine.CauseNoServer},
			{From: machine.Selecting, To: machine.Selecting, Cause: machine.CauseNoServer},
			{From: machine.Init, To: machine.Init, Cause: machine.CauseLinkUp},
			{From: machine.Selecting, To: machine.Selecting, Cause: machine.CauseNoServer}}, []string{"no-server", "link-up", "no-server"}},
		{"nobody answers, and the lease goes on", nil, after(boundA, r{From: machine.Renewing, To: machine.Bound, Cause: machine.CauseNoServer, Lease: a}), []string{"bound 192.0.2.7", "no-server 192.0.2.7"}},
		{"the cable", nil, after(boundA, r{From: machine.Bound, To: machine.Bound, Cause: machine.CauseLinkDown}, r{From: machine.Bound, To: machine.InitReboot, Cause: machine.CauseLinkUp}),
			[]string{"bound 192.0.2.7", "link-down 192.0.2.7", "link-up 192.0.2.7"}},
		{"stopped and kept", nil, after(boundA, r{From: machine.Bound, To: machine.Idle, Cause: machine.CauseStopped, Lease: a, Text: machine.StaysInUse}), []string{"bound 192.0.2.7", "stopping 192.0.2.7 kept"}},
		{"stopped and withdrawn", nil, after(boundA, r{From: machine.Bound, To: machine.Idle, Cause: machine.CauseStopped, Lease: a}), []string{"bound 192.0.2.7", "stopping 192.0.2.7"}},
		{"stopped without a lease", nil, []r{{From: machine.Selecting, To: machine.Idle, Cause: machine.CauseStopped, Lease: b}}, []string{"stopping"}},
		{"a host that refuses, and then nothing is held", &b, []r{
			{From: machine.Applying, To: machine.Init, Cause: machine.CauseApplyFailed, Lease: a},
			{From: machine.Init, To: machine.Idle, Cause: machine.CauseReleased, Lease: a}}, nil},
		{"what is nobody's business", nil, []r{
			{From: machine.Idle, To: machine.Init, Cause: machine.CauseStarted}, {To: machine.Selecting, Cause: machine.CauseSent}, {Cause: machine.CauseNote},
			{Cause: machine.CauseChosen}, {Cause: machine.CauseRefused}, {Cause: machine.CauseUnchecked}, {Cause: machine.CausePaused}, {Cause: machine.CauseResumed},
			{Cause: machine.CauseNotPossible}, {Cause: machine.CauseRenewalDue}, {Cause: machine.CauseRebindingDue}, {Cause: machine.CauseConfigured}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ta := tale{held: tc.held}
			var got []string
			for _, rep := range tc.reports {
				e := ta.next(&rep)
				if e == nil {
					continue
				}
				text := string(e.Name)
				for _, more := range []struct{ word, value string }{{"", addrOf(e.Lease)}, {" former", addrOf(e.Former)}} {
					if more.value != "" {
						text += more.word + " " + more.value
					}
				}
				for word, is := range map[string]bool{" unconfirmed": e.Unconfirmed, " kept": e.Kept, " holder": e.Name == hook.Conflict} {
					if is {
						text += word
					}
				}
				if e.State != rep.To.String() {
					t.Errorf("%s: state %s", e.Name, e.State)
				}
				got = append(got, text)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestScriptsAreToldWhyBeforeTheyAreCalled(t *testing.T) {
	message := func(kind client.Kind, typ dhcp4.MessageType) *client.Event {
		m := &dhcp4.Message{}
		if err := dhcp4.MsgType.Put(&m.Options, typ); err != nil {
			t.Fatal(err)
		}
		return &client.Event{Kind: kind, Message: m}
	}
	report := func(r machine.Report) *client.Event { return &client.Event{Kind: client.Reported, Report: r} }
	var ta tale
	for i, tc := range []struct {
		e             *client.Event
		apply, remove hook.Reason
	}{
		{message(client.Sent, dhcp4.Request), "", ""},
		{report(machine.Report{From: machine.Requesting, To: machine.Checking, Cause: machine.CauseGranted}), hook.ReasonBound, ""},
		{report(machine.Report{From: machine.Rebooting, To: machine.Checking, Cause: machine.CauseGranted}), hook.ReasonReboot, ""},
		{report(machine.Report{From: machine.Selecting, To: machine.Checking, Cause: machine.CauseUnconfirmed}), hook.ReasonTimeout, ""},
		{report(machine.Report{From: machine.Bound, To: machine.Renewing, Cause: machine.CauseRenewalDue}), hook.ReasonRenew, ""},
		{message(client.Received, dhcp4.ACK), "", ""},
		{report(machine.Report{From: machine.Renewing, To: machine.Bound, Cause: machine.CauseExtended}), "", ""},
		{report(machine.Report{From: machine.Renewing, To: machine.Rebinding, Cause: machine.CauseRebindingDue}), hook.ReasonRebind, ""},
		{message(client.Received, dhcp4.NAK), "", hook.ReasonExpire},
		{report(machine.Report{From: machine.Rebinding, To: machine.Init, Cause: machine.CauseNAK}), "", ""},
		{message(client.Sent, dhcp4.Discover), "", ""},
		{message(client.Received, dhcp4.NAK), "", hook.ReasonExpire},
		{message(client.Dropped, dhcp4.NAK), "", hook.ReasonStop},
		{message(client.Sent, dhcp4.Decline), "", hook.ReasonExpire},
		{message(client.Received, dhcp4.Offer), "", ""},
		{message(client.Dropped, dhcp4.Offer), "", ""},
		{message(client.Sent, dhcp4.Release), "", hook.ReasonRelease},
	} {
		if apply, remove := ta.reasons(tc.e); apply != tc.apply || remove != tc.remove {
			t.Errorf("%d: %q, %q, want %q, %q", i, apply, remove, tc.apply, tc.remove)
		}
	}
}

func TestScriptsHearOfWhatIsOnNoHost(t *testing.T) {
	l := leaseAt("192.0.2.7/24")
	for want, list := range map[hook.Reason][]hook.Event{
		hook.ReasonNAK:  {{Name: hook.NAK}, {Name: hook.NAK, Lease: &l}},
		hook.ReasonFail: {{Name: hook.NoServer}},
		"":              {{Name: hook.NoServer, Lease: &l}, {Name: hook.Bound, Lease: &l}, {Name: hook.Conflict}, {Name: hook.LinkDown}},
	} {
		for _, e := range list {
			if got := toldScript(&e); got != want {
				t.Errorf("%s: %q, want %q", e.Name, got, want)
			}
		}
	}
}
