package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/config"
)

// What a server granted is one thing, what is used is another. The client, and
// what is remembered, know the lease as granted; the host, and people, get it as
// the configuration has its options. So another policy needs no packet.

// An overrider puts a policy between a client and the host. The policy is asked
// for each time: a reload may have changed it. What is withdrawn is what is
// there, whatever the policy was.
type overrider struct {
	client.Configurator
	*devices
}

var _ client.Repairer = overrider{}

// Apply makes the host hold what is used of l.
func (o overrider) Apply(ctx context.Context, l lease.Lease) error {
	used, _ := o.policy().Use(l)
	return o.Configurator.Apply(ctx, used)
}

// Repair puts back what somebody took away. Of what a script did nobody knows
// what is missing.
func (o overrider) Repair(ctx context.Context, l lease.Lease) (bool, error) {
	if o.host.script.Configures() {
		return false, nil
	}
	used, _ := o.policy().Use(l)
	return o.host.Repair(ctx, used)
}

// Unfinished is when the host wants to be repaired, whatever happens.
func (o overrider) Unfinished() time.Duration { return o.host.Unfinished() }

// policyOf returns what asks for a link's policy in the plan that is in force.
// It is asked often, and plans change seldom.
func (p *plan) policyOf(name string) func() lease.Policy {
	type known struct {
		plan   *plan
		policy lease.Policy
	}
	var last atomic.Pointer[known]
	return func() lease.Policy {
		now := p.current()
		if k := last.Load(); k != nil && k.plan == now {
			return k.policy
		}
		conf, err := now.file.Link(name, now.flags)
		if err != nil {
			return lease.Policy{} // a plan that does not know the link lets go of it
		}
		last.Store(&known{now, conf.Policy})
		return conf.Policy
	}
}

// current is the plan in force.
func (p *plan) current() *plan {
	if now := p.inForce.Load(); now != nil {
		return now
	}
	return p
}

// use returns what is used of a link's lease, and what of that is not as the
// server sent it.
func (p *plan) use(name string, policy lease.Policy, l lease.Lease) (lease.Lease, []agent.Override) {
	now := p.current()
	return used(policy, l, placesIn(now.file, name, now.flags))
}

// use is what a command uses of a lease.
func (s *settings) use(l lease.Lease) (lease.Lease, []agent.Override) {
	inFile := placesIn(s.file, s.conf.Name, s.flags)
	return used(s.conf.Policy, l, func() places {
		where := inFile()
		return func(how lease.How, c dhcp4.Code) string {
			if word := s.atBoot[overriding{how, c}]; word != "" {
				return word
			}
			return where(how, c)
		}
	})
}

// places tell where it stands that an option is overridden.
type places func(lease.How, dhcp4.Code) string

// used is what a policy uses of a lease. Where it stands is asked for if that
// matters.
func used(policy lease.Policy, l lease.Lease, where func() places) (lease.Lease, []agent.Override) {
	l, list := policy.Use(l)
	if len(list) == 0 {
		return l, nil
	}
	return l, agent.OverridesOf(list, where())
}

// placesIn are those in file or flags.
func placesIn(file *config.File, name string, flags config.Flags) func() places {
	return func() places {
		where, err := file.Overriding(name, flags)
		return func(how lease.How, c dhcp4.Code) string {
			if err != nil {
				return string(how)
			}
			o := where(how, c)
			if o.Table != "" {
				return o.String() + " " + o.Table
			}
			return o.String()
		}
	}
}

// notDone are overrides that could not be done, as what is not followed.
func notDone(list []agent.Override) (out []agent.Refusal) {
	for _, o := range list {
		if o.Why != "" {
			out = append(out, agent.Refusal{What: fmt.Sprintf("%s of option %d (%s), %s", o.How, o.Code, o.Name, o.From), Why: o.Why})
		}
	}
	return out
}
