package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/netconf"
)

// A failedLink is a link that is not bound, and why.
type failedLink struct {
	link  string
	err   error
	calls bool // it has a carrier or was named, so that whoever waits for all waits for it
}

// A bootError is why links are not bound. To who asks what kind of error it is,
// it is that of the link that came farthest.
type bootError struct {
	failed []failedLink
	worst  error
}

func (e *bootError) Error() string {
	var text []string
	for _, f := range e.failed {
		text = append(text, f.link+": "+f.err.Error())
	}
	return strings.Join(text, "; ")
}

func (e *bootError) Unwrap() error { return e.worst }

// farthest are exit codes, that of the link first which came farthest on the
// way to being bound.
var farthest = [...]int{exitNotApplied, exitConflict, exitRefused, exitNoServer, exitNotPermitted, exitUsage, exitFailed, exitNoLink}

// errorOf makes one error of many.
func errorOf(failed []failedLink) error {
	e := &bootError{failed: failed}
	rank := func(f failedLink) int { return slices.Index(farthest[:], exitCode(f.err)) }
	e.worst = slices.MinFunc(failed, func(a, b failedLink) int { return rank(a) - rank(b) }).err
	return e
}

// isBeaten reports whether a try ended because another link was first.
func (b *boot) isBeaten(err error) bool {
	return errors.Is(err, context.Canceled) && (len(b.bound) > 0 || !b.all && len(b.won) == 0)
}

// verdict is what is wrong in the end, if anything is. Cause is what ended it
// from outside, such as a signal.
func (b *boot) verdict(cause error) error {
	for _, name := range b.missing() {
		err := fmt.Errorf("it did not come within %v: %w", b.timeout, netconf.ErrNoLink)
		if why := b.unfit[name]; why != nil {
			err = fmt.Errorf("%w: %w", why, netconf.ErrNoLink)
		}
		b.failed = append(b.failed, failedLink{name, err, true})
	}
	var count []failedLink
	for _, f := range b.failed {
		if len(b.bound) == 0 || b.all && f.calls {
			count = append(count, f)
		}
	}
	switch {
	case cause != nil:
		return cause
	case len(count) > 0:
		return errorOf(count)
	case len(b.bound) == 0:
		return fmt.Errorf("no link that is wanted came within %v: %w", b.timeout, netconf.ErrNoLink)
	}
	return nil
}

// print writes one document about all links. The first link that was bound is
// its head, so that who expects one link finds what it looks for.
func (b *boot) print(bound []document, err error) error {
	if exitCode(err) == exitUsage { // as of all commands, on standard error alone
		return err
	}
	d := document{Result: "failed"}
	if len(bound) > 0 {
		d = bound[0]
	} else if err != nil {
		d = failure("", err)
	}
	d.Links = slices.Clone(bound)
	for _, f := range b.failed {
		b.log.Warn("not bound", "link", f.link, "error", f.err)
		d.Links = append(d.Links, failure(f.link, f.err))
	}
	for _, n := range b.args.Notices {
		d.Notes = append(d.Notes, "of the kernel's command line is not followed: "+n.String())
	}
	s := *b.settings
	s.link = d.Link
	return errors.Join(err, s.print(d))
}

// sinceBoot is how long ago the kernel began.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
