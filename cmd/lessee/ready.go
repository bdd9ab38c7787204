package main

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/cmd/lessee/supervise"
)

// A herald tells the supervisor how the links are.
type herald struct {
	manager *supervise.Manager
	when    config.Ready
	list    func() []agent.Status
	log     *slog.Logger

	news    chan struct{}          // something may have changed
	refusal atomic.Pointer[string] // why the last configuration was refused; nil: it was not
	told    bool                   // that we are ready
	last    string
}

// changed says that the supervisor may have to be told. It never waits.
func (h *herald) changed() {
	select {
	case h.news <- struct{}{}:
	default:
	}
}

// refused notes whether a new configuration was taken; err is why not.
func (h *herald) refused(err error) {
	if err == nil {
		h.refusal.Store(nil)
	} else {
		text := err.Error()
		h.refusal.Store(&text)
	}
	h.changed()
}

// summary is how all is, in a line.
func (h *herald) summary() string {
	text := summary(h.list())
	if why := h.refusal.Load(); why != nil {
		text += "; the old configuration stays in force: " + *why
	}
	return text
}

// tell tells what is new.
func (h *herald) tell() {
	list := h.list()
	status := h.summary()
	var err error
	switch {
	case !h.told && ready(h.when, list, false):
		h.told = true
		err = h.manager.Ready(status)
		h.log.Info("ready", "status", status)
	case status != h.last:
		err = h.manager.Status(status)
	}
	h.last = status
	if err != nil {
		h.log.Warn("the supervisor was not told", "error", err)
	}
}

// ready tells whether the links are, by what was asked for. Unless each counts,
// those that have no cable do not: a host with four sockets and one cable is
// configured by one lease.
func ready(when config.Ready, list []agent.Status, each bool) bool {
	with, missing := 0, 0
	for _, s := range list {
		switch {
		case s.Lease != nil: // on the host, not only granted
			with++
		case each || s.Carrier:
			missing++
		}
	}
	switch when {
	case config.Started:
		return true
	case config.First:
		return with > 0
	}
	return with > 0 && missing == 0
}

// maxSummary bounds a summary; systemctl shows one line.
const maxSummary = 200

// summary is a line for a supervisor: "eth0 192.0.2.140/24, wlan0 SELECTING".
func summary(list []agent.Status) string {
	var b strings.Builder
	for i, s := range list {
		text := s.Link + " " + s.State
		if s.Lease != nil {
			text = s.Link + " " + s.Lease.Addr.String()
		}
		if b.Len()+len(text) > maxSummary {
			fmt.Fprintf(&b, " and %d more", len(list)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(text)
	}
	if b.Len() == 0 {
		return "no links"
	}
	return b.String()
}
