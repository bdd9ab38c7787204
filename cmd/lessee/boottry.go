package main

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/cmd/lessee/kernelargs"
	"github.com/lessee/lessee/cmd/lessee/klibc"
	"github.com/lessee/lessee/netconf"
)

// bootParameters are what scripts at boot want to know beside what every host
// does.
var bootParameters = [...]dhcp4.Code{dhcp4.RootPath.Code, dhcp4.NISDomain.Code, dhcp4.BootFile.Code}

// settingsOf are the settings of one link. What the kernel's command line says
// of it wins over the file, and flags win over both.
func (b *boot) settingsOf(l netconf.Link, asked kernelargs.Link) (*settings, error) {
	s := *b.settings
	s.link, s.troubles = l.Name, nil
	flags := maps.Clone(b.flags)
	set := func(name, value string) {
		if _, given := flags[name]; !given && value != "" {
			flags[name] = config.Flag{Flag: name, Values: []string{value}}
		}
	}
	set("hostname", asked.HostName)
	set("vendor-class", b.args.VendorClass)
	if asked.Addr.IsValid() {
		set("request-address", asked.Addr.String())
	}
	r := &flagReader{c: b.reader.c}
	r.configure(&s, b.file, flags)
	s.stateDir = b.stateDir
	for _, code := range bootParameters {
		s.machine.Parameters = s.conf.Asking(s.machine.Parameters, code)
	}
	b.override(&s, asked)
	return &s, r.err
}

// attempt gets a lease for one link. If another link is first, and one is
// enough, nothing is left of it, and there is neither a document nor an error.
func (b *boot) attempt(ctx context.Context, s *settings, asked kernelargs.Link) (*document, error) {
	e, err := open(ctx, s, needs{configure: true, up: true, remember: true, check: true})
	if err != nil {
		return nil, err
	}
	b.untell(s.link)
	l, result, err := e.acquire(ctx)
	if err != nil {
		return nil, errors.Join(err, e.host.Down(), e.close())
	}
	if !b.mayKeep() {
		return nil, errors.Join(e.close(), handBack(ctx, s))
	}
	d := e.document(result, l)
	d.Version, d.Link, d.Offers = 1, s.link, agent.OffersOf(e.offers)
	if asked.Server.IsValid() {
		d.Lease.NextServer = asked.Server // whatever the server says
	}
	d.Notes = append(d.Notes, b.tell(s.link, *d.Lease)...)
	if err := e.close(); err != nil {
		s.log.Warn("close", "link", s.link, "error", err)
	}
	return &d, nil
}

// mayKeep tells whether a link that is bound may stay so.
func (b *boot) mayKeep() bool {
	if b.all {
		return true
	}
	select {
	case <-b.won:
		return true
	default:
		return false
	}
}

// handBackWithin bounds how long a lease is given back that nobody needs.
const handBackWithin = 5 * time.Second

// handBack releases the lease of a link that was bound too late, and undoes all
// of it.
func handBack(ctx context.Context, s *settings) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBackWithin)
	defer cancel()
	e, err := open(ctx, s, needs{configure: true, remember: true})
	if err != nil {
		return err
	}
	_, _, err = e.release(ctx)
	return errors.Join(err, e.close())
}

// tell writes what scripts read of a link. That it cannot is no reason to give
// the lease up, and a note.
func (b *boot) tell(link string, l lease.Lease) (notes []string) {
	if b.confDir == "" {
		return nil
	}
	if err := klibc.Write(b.confDir, link, klibc.Conf(link, l, sinceBoot())); err != nil {
		b.log.Warn("scripts are not told", "link", link, "error", err)
		notes = append(notes, err.Error())
	}
	return notes
}

// untell takes away what an earlier run told scripts of a link, for what is
// there tells that the link is configured.
func (b *boot) untell(link string) {
	if b.confDir == "" {
		return
	}
	if err := klibc.Remove(b.confDir, link); err != nil {
		b.log.Warn("scripts may be told what was true once", "link", link, "error", err)
	}
}
