package supervise

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
)

// JournalSocket is where journald takes entries.
const JournalSocket = "/run/systemd/journal/socket"

// identifier is what "journalctl -t" finds us by.
const identifier = "lessee"

// A JournalHandler is a slog.Handler that writes into the journal. MESSAGE is
// for people and has everything; each attribute is a field besides, LESSEE_ and
// its key, behind the keys of the groups that it is in:
//
//	log.Info("bound", "link", "eth0", slog.Group("server", "addr", addr))
//
//	PRIORITY=6
//	SYSLOG_IDENTIFIER=lessee
//	MESSAGE=bound link=eth0 server.addr=192.0.2.1
//	LESSEE_EVENT=bound
//	LESSEE_LINK=eth0
//	LESSEE_SERVER_ADDR=192.0.2.1
//
// The time is journald's. An entry that it does not take is lost, and the next
// one says in LESSEE_LOST how many were.
type JournalHandler struct {
	send  func(entry []byte) error
	level slog.Leveler
	lost  *atomic.Int64
	scope scope
	entry entry // of the attributes so far
}

// NewJournalHandler returns a handler for records of at least that level.
func NewJournalHandler(socket string, level slog.Leveler) *JournalHandler {
	return &JournalHandler{
		send:  func(entry []byte) error { return send(socket, entry) },
		level: level,
		lost:  new(atomic.Int64),
	}
}

// Enabled reports whether records of that level are written.
func (h *JournalHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// Handle writes a record.
func (h *JournalHandler) Handle(_ context.Context, r slog.Record) error {
	e := h.extend()
	r.Attrs(func(a slog.Attr) bool {
		e.add(h.scope, a)
		return true
	})
	b := appendField(nil, "PRIORITY", priority(r.Level))
	b = appendField(b, "SYSLOG_IDENTIFIER", identifier)
	b = appendField(b, "MESSAGE", r.Message+string(e.text))
	b = appendField(b, prefix+"EVENT", r.Message)
	b = append(b, e.fields...)
	lost := h.lost.Swap(0)
	if lost > 0 {
		b = appendField(b, prefix+"LOST", strconv.FormatInt(lost, 10))
	}
	if err := h.send(b); err != nil {
		h.lost.Add(lost + 1)
		return err
	}
	return nil
}

// WithAttrs returns a handler whose records all have these attributes.
func (h *JournalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := *h
	out.entry = h.extend()
	for _, a := range attrs {
		out.entry.add(h.scope, a)
	}
	return &out
}

// WithGroup returns a handler whose further attributes are in a group.
func (h *JournalHandler) WithGroup(name string) slog.Handler {
	out := *h
	out.scope = h.scope.in(name)
	return &out
}

// extend returns the entry so far, to be appended to without harm to others
// that share it.
func (h *JournalHandler) extend() entry {
	return entry{slices.Clip(h.entry.text), slices.Clip(h.entry.fields)}
}

// priority is syslog's word for a level.
func priority(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "7"
	case l < slog.LevelWarn:
		return "6"
	case l < slog.LevelError:
		return "4"
	}
	return "3"
}
