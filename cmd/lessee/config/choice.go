package config

import (
	"errors"
	"net/netip"
	"sort"

	"github.com/lessee/lessee/arpcheck"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/netconf"
)

// Which offers are good, how a lease is got, and how it is kept.

func setRequestAddr(t *target, words []string) (err error) {
	if words[0] != "" {
		t.link.Machine.RequestAddr, err = parseAddr(words[0])
	}
	return err
}

func parseAddr(word string) (netip.Addr, error) {
	a, err := netip.ParseAddr(word)
	if err != nil || !a.Is4() {
		return netip.Addr{}, errors.New("want an IPv4 address")
	}
	return a, nil
}

func setLeaseTime(t *target, words []string) (err error) {
	if words[0] == "" {
		return nil
	}
	if t.link.Machine.LeaseTime, err = dhcp4.ParseLifetime(words[0]); err != nil || t.link.Machine.LeaseTime == 0 {
		return errors.New("want a time above 0")
	}
	return nil
}

func setAllow(t *target, words []string) (err error) {
	t.link.Machine.Allow, err = parsePrefixes(words)
	return err
}

func setDeny(t *target, words []string) (err error) {
	t.link.Machine.Deny, err = parsePrefixes(words)
	return err
}

// parsePrefixes reads a set of addresses and prefixes.
func parsePrefixes(words []string) (out []netip.Prefix, err error) {
	for _, w := range words {
		p, err := parsePrefix(w)
		if err != nil {
			return nil, about(w, err)
		}
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Compare(out[j]) < 0 })
	return out, nil
}

func parsePrefix(word string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(word); err == nil && p.Addr().Is4() {
		return p.Masked(), nil
	}
	a, err := parseAddr(word)
	if err != nil {
		return netip.Prefix{}, errors.New("want an IPv4 address or prefix")
	}
	return netip.PrefixFrom(a, 32), nil
}

func setProbe(t *target, words []string) (err error) {
	t.link.Probe, err = arpcheck.ParseMode(words[0])
	return err
}

func setDefence(t *target, words []string) (err error) {
	t.link.Defence, err = arpcheck.ParseDefence(words[0])
	return err
}

func setOfferWait(t *target, words []string) (err error) {
	if words[0] == "auto" {
		t.link.Machine.OfferWait = machine.AutoOfferWait
		return nil
	}
	t.link.Machine.OfferWait, err = ParseDuration(words[0])
	return err
}

func setNoServer(t *target, words []string) error {
	t.link.Machine.NoServerFail = words[0] == "fail"
	return nil
}

func setMetric(t *target, words []string) (err error) {
	if words[0] == "auto" {
		t.link.Host.Metric = netconf.AutoMetric
		return nil
	}
	t.link.Host.Metric, err = parseNumber(words[0])
	return err
}

func setRoutes(t *target, words []string) error {
	t.link.Host.Received.Follow = netconf.RouteSet(words[0])
	return nil
}

func setAllowRoute(t *target, words []string) (err error) {
	t.link.Host.Received.Allow, err = parsePrefixes(words)
	return err
}

func setDenyRoute(t *target, words []string) (err error) {
	t.link.Host.Received.Deny, err = parsePrefixes(words)
	return err
}

func setWidest(t *target, words []string) (err error) {
	n, err := parseNumber(words[0])
	if err == nil && (n < 1 || n > 32) {
		err = errors.New("want a prefix length, 1 to 32")
	}
	t.link.Host.Received.Widest = n
	return err
}

func setTable(t *target, words []string) (err error) {
	n := 0
	switch words[0] {
	case "auto":
		n = netconf.AutoTable
	case "main":
	default:
		n, err = parseNumber(words[0])
		if err == nil && !netconf.IsTable(n) {
			err = errors.New("that table is the kernel's own")
		}
	}
	t.link.Host.Table = n
	return err
}

func setSourceRouting(t *target, words []string) error {
	t.link.Host.SourceRouting = netconf.SourceRouting(words[0])
	return nil
}

func setOnStop(t *target, words []string) error {
	t.link.OnStop = OnStop(words[0])
	return nil
}
