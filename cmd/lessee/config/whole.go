package config

import (
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/netconf"
)

// What of a lease is followed that is about the host as a whole.

var accepts = map[string]netconf.Accept{
	"auto": netconf.AcceptAuto, "always": netconf.AcceptAlways, "never": netconf.AcceptNever,
}

func setAcceptHostName(t *target, words []string) error {
	t.link.Host.HostName = accepts[words[0]] // the table lets no other in
	return nil
}

// setAcceptTimeServers need not ask: time servers are asked for anyway, for
// whoever reads the lease.
func setAcceptTimeServers(t *target, words []string) error {
	t.link.Host.TimeServers = accepts[words[0]]
	return nil
}

// setAcceptTimeZone relies on request and no-request, which are set before.
// Both forms of a zone are asked for, so that a server which knows the other
// one only is told of.
func setAcceptTimeZone(t *target, words []string) error {
	if t.link.Host.TimeZone = accepts[words[0]]; t.link.Host.TimeZone == netconf.AcceptAlways {
		t.link.ask(dhcp4.TZDatabase.Code)
		t.link.ask(dhcp4.PosixTimezone.Code)
	}
	return nil
}
