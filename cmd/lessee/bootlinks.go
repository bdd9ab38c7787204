package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/cmd/lessee/kernelargs"
	"github.com/lessee/lessee/netconf"
)

// A bootTry is what goes on on one link.
type bootTry struct {
	link   netconf.Link // as the kernel told last
	name   string       // under which it was begun
	asked  kernelargs.Link
	began  time.Time
	cancel context.CancelFunc
	over   bool
	again  bool // begin anew when it is over: the link has another name

	doc *document // bound
	err error     // why not; nil: another link was first
}

// conduct begins a try on each link that is wanted, as the kernel tells of
// them, and returns when all tries are over.
func (b *boot) conduct(ctx context.Context, stop context.CancelFunc) error {
	links, err := netconf.WatchLinks(ctx, nil)
	if err != nil {
		return err
	}
	began := time.Now()
	for ctx.Err() == nil && !b.enough(time.Since(began)) {
		patience := time.NewTimer(b.patience(began))
		select {
		case <-ctx.Done():
		case l, ok := <-links:
			if ok {
				b.see(ctx, l)
			}
		case t := <-b.ended:
			b.end(ctx, t)
		case <-patience.C:
		}
		patience.Stop()
	}
	stop()
	for b.running > 0 {
		b.end(ctx, <-b.ended)
	}
	return nil
}

// see takes in what the kernel tells of a link.
func (b *boot) see(ctx context.Context, l netconf.Link) {
	t := b.tries[l.Index]
	switch {
	case t == nil:
		b.begin(ctx, l)
		return
	case l.Gone && t.over && t.doc == nil:
		delete(b.tries, l.Index)
		return
	}
	t.link = l
	if !t.over && !l.Gone && (l.Name != t.name || l.Port) {
		t.again = true // if it is still suitable then
		t.cancel()
	}
}

// begin begins a try, if the link is suitable and wanted.
func (b *boot) begin(ctx context.Context, l netconf.Link) {
	asked, wanted := b.wanted(l)
	if l.Gone || !wanted {
		b.unfit[l.Name] = nil
		return
	}
	if b.unfit[l.Name] = unfit(l); b.unfit[l.Name] != nil {
		return
	}
	s, err := b.settingsOf(l, asked)
	if err != nil {
		b.tries[l.Index] = &bootTry{link: l, name: l.Name, asked: asked, over: true}
		b.failed = append(b.failed, failedLink{l.Name, err, true})
		return
	}
	within, cancel := context.WithCancel(ctx)
	t := &bootTry{link: l, name: l.Name, asked: asked, began: time.Now(), cancel: cancel}
	b.tries[l.Index] = t
	b.running++
	go func() {
		t.doc, t.err = b.attempt(within, s, t.asked)
		cancel()
		b.ended <- t
	}()
}

// end takes in that a try is over.
func (b *boot) end(ctx context.Context, t *bootTry) {
	b.running--
	t.over = true
	index := t.link.Index
	switch {
	case t.doc != nil:
		b.bound = append(b.bound, *t.doc)
	case ctx.Err() == nil && (t.again || t.link.Gone):
		delete(b.tries, index)
		if t.again {
			b.begin(ctx, t.link)
		}
	case t.err != nil && !b.isBeaten(t.err):
		b.failed = append(b.failed, failedLink{t.name, t.err, t.link.Carrier || b.isNamed(t.name)})
	}
}

// wanted reports whether a link is to be tried, and what the kernel's command
// line says of it. Who names a link means it, also if nobody else would think of
// it.
func (b *boot) wanted(l netconf.Link) (kernelargs.Link, bool) {
	asked, wanted := b.args.Wanted(l.Name, net.HardwareAddr(l.Addr).String())
	if len(b.wants) > 0 {
		wanted = false
		for _, w := range b.wants {
			wanted = wanted || w.Match(l.Name)
		}
	}
	peculiar := unfit(l) != nil || l.Flags&(unix.IFF_LOOPBACK|unix.IFF_NOARP|unix.IFF_POINTOPOINT) != 0
	return asked, wanted && (!peculiar || b.isNamed(l.Name))
}

// unfit tells why no link of that kind gets a lease, whoever wants it.
func unfit(l netconf.Link) error {
	switch {
	case l.Port:
		return errors.New("it is part of a bridge, a bond or the like, which has the addresses")
	case !socket.Supports(l.Type):
		return fmt.Errorf("its type (%d) cannot carry DHCP", l.Type)
	}
	return nil
}

// named are the links that are wanted by their full names.
func (b *boot) named() (names []string) {
	if len(b.wants) == 0 {
		return b.args.Named()
	}
	for _, w := range b.wants {
		if w.Exact() {
			names = append(names, w.String())
		}
	}
	return names
}

func (b *boot) isNamed(name string) bool { return slices.Contains(b.named(), name) }

// missing are the links that are wanted by their full names and were not seen.
func (b *boot) missing() (names []string) {
	for _, name := range b.named() {
		seen := false
		for _, t := range b.tries {
			seen = seen || t.name == name
		}
		if !seen {
			names = append(names, name)
		}
	}
	return names
}

// enough reports whether no more is to be waited for, so long after the
// beginning: enough links are bound, or all have failed for good and no more
// seem to come.
func (b *boot) enough(elapsed time.Duration) bool {
	switch {
	case len(b.bound) > 0 && !b.all:
		return true
	case len(b.missing()) > 0 || len(b.tries) == 0:
		return false
	case len(b.bound) == 0:
		return b.running == 0 && elapsed >= b.carrier
	}
	for _, t := range b.tries {
		if !t.over && (t.link.Carrier || time.Since(t.began) < b.carrier || b.isNamed(t.name)) {
			return false
		}
	}
	return true
}

// patience is how long to wait at most before enough is asked anew.
func (b *boot) patience(began time.Time) time.Duration {
	next := b.timeout
	for _, t := range b.tries {
		if left := b.carrier - time.Since(t.began); left > 0 {
			next = min(next, left)
		}
	}
	if left := b.carrier - time.Since(began); left > 0 {
		next = min(next, left)
	}
	return next
}
