package main

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// members are the names of a JSON object's members, those of what is below them
// too.
func members(t reflect.Type, seen map[reflect.Type]bool) (names []string) {
	switch {
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice:
		return members(t.Elem(), seen)
	case t.Kind() != reflect.Struct || seen[t] || !strings.Contains(t.PkgPath(), "lessee"):
		return nil
	}
	seen[t] = true
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
			names = append(names, members(f.Type, seen)...)
		}
	}
	return names
}

func TestTheREADMENamesWhatIsPrinted(t *testing.T) {
	text := readFile(t, "../../README.md")
	seen := map[reflect.Type]bool{reflect.TypeFor[dhcp4.Resolver](): true} // as RFC 9463 calls its parts
	names := members(reflect.TypeFor[document](), seen)
	if len(names) < 50 {
		t.Fatalf("only %q", names)
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("README.md does not tell of the member %s", name)
		}
	}
	now := time.Now()
	l := lease.Lease{Addr: netip.MustParsePrefix("192.0.2.7/24"), Server: netip.MustParseAddr("192.0.2.1"), Start: now, Expiry: now.Add(time.Hour), MTU: 1400, NextServer: netip.MustParseAddr("192.0.2.1")}
	l.Options.Put(6, []byte{192, 0, 2, 1})
	d := document{Link: "eth0", Result: "bound", Lease: &l, Error: &problem{}, Overrides: []agent.Override{{Code: 6}}, Offers: []agent.Offer{{}}}
	d.Links = []document{d}
	for _, v := range envOf(d) {
		name := strings.NewReplacer("OPTION_6", "OPTION_N", "SENT_6", "SENT_N", "OFFER_0", "OFFER_N").Replace(v[0])
		if !strings.Contains(text, "`"+name+"`") && !strings.HasPrefix(name, "LESSEE_0_") {
			t.Errorf("README.md does not tell of %s", name)
		}
	}
	// A lease that says nothing has the same variables, so that none stays of another.
	sparse := envOf(document{Lease: &lease.Lease{Addr: l.Addr}})
	for _, v := range envOf(document{Lease: &lease.Lease{Addr: l.Addr, Server: l.Server, Start: now, Expiry: l.Expiry, MTU: 1400, NextServer: l.NextServer}}) {
		if !slices.ContainsFunc(sparse, func(w [2]string) bool { return w[0] == v[0] }) {
			t.Errorf("%s is not there of every lease", v[0])
		}
	}
	for _, f := range bootFlags() {
		if !strings.Contains(text, "--"+f.Names()[0]) {
			t.Errorf("README.md does not tell of --%s", f.Names()[0])
		}
	}
}
