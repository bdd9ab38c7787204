package metrics

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// ContentType is the media type of what WriteText writes.
const ContentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// WriteText writes all metrics as OpenMetrics text, with what holds on the
// links at this moment. If a link is there twice, its first status counts.
func (r *Registry) WriteText(w io.Writer, list []agent.Status) error {
	if _, err := w.Write(r.render(list, false)); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// render makes the text, in the older Prometheus format if classic.
func (r *Registry) render(list []agent.Status, classic bool) []byte {
	t := &text{classic: classic}
	t.program(r.cfg)
	t.statuses(byLink(list))
	t.counters(r.snapshot())
	t.end()
	return t.b
}

// byLink is list in the order of names, each once: a series that is there
// twice makes the whole text invalid.
func byLink(list []agent.Status) []*agent.Status {
	first := make(map[string]*agent.Status, len(list))
	for i := range list {
		if s := &list[i]; first[s.Link] == nil {
			first[s.Link] = s
		}
	}
	out := make([]*agent.Status, 0, len(first))
	for _, name := range sortedKeys(first) {
		out = append(out, first[name])
	}
	return out
}

func (t *text) program(cfg Config) {
	t.begin(buildFamily)
	t.sample("_info", "1", "version", cfg.Version)
	if !cfg.Start.IsZero() {
		t.begin(startFamily)
		t.sample("", strconv.FormatFloat(float64(cfg.Start.UnixMilli())/1e3, 'f', 3, 64))
	}
	if cfg.Memory == nil {
		return
	}
	if n := cfg.Memory(); n > 0 {
		t.begin(memoryFamily)
		t.gauge(n)
	}
}

// statuses writes the gauges, a family after the other.
func (t *text) statuses(list []*agent.Status) {
	t.begin(stateFamily)
	for _, s := range list {
		for _, name := range states {
			t.gauge(truth(s.State == name), "link", s.Link, "state", name)
		}
	}
	t.each(carrierFamily, list, func(s *agent.Status) (int64, bool) { return truth(s.Carrier), true })
	t.each(pausedFamily, list, func(s *agent.Status) (int64, bool) { return truth(s.Paused), true })
	t.each(heldFamily, list, func(s *agent.Status) (int64, bool) { return truth(s.Lease != nil && !s.Lease.IsZero()), true })
	t.each(leftFamily, list, secondsLeft)
	t.each(durationFamily, list, duration)
}

// each writes one gauge of every link that has it.
func (t *text) each(f family, list []*agent.Status, value func(*agent.Status) (int64, bool)) {
	t.begin(f)
	for _, s := range list {
		if n, ok := value(s); ok {
			t.gauge(n, "link", s.Link)
		}
	}
}

func secondsLeft(s *agent.Status) (int64, bool) {
	if s.SecondsLeft == nil {
		return 0, false
	}
	return *s.SecondsLeft, true
}

func duration(s *agent.Status) (int64, bool) {
	if s.Lease == nil || s.Lease.IsZero() || s.Lease.Infinite() {
		return 0, false
	}
	return int64(s.Lease.Expiry.Sub(s.Lease.Start).Round(time.Second) / time.Second), true
}

func (t *text) counters(list []counts) {
	t.messages(list)
	t.words(droppedFamily, "reason", dropReasons, 1, list, func(c counts) []uint64 { return c.dropped })
	t.words(framesFamily, "reason", frameReasons, 1, list, func(c counts) []uint64 { return c.frames })
	t.words(troublesFamily, "kind", troubleKinds, 0, list, func(c counts) []uint64 { return c.troubles })
	for i, f := range perLink {
		t.begin(f)
		for _, c := range list {
			t.count(c.plain[i], "link", c.link)
		}
	}
	t.begin(leaseFamily)
	for _, c := range list {
		t.histogram(c.link, c.lease)
	}
}

func (t *text) messages(list []counts) {
	t.begin(messagesFamily)
	for _, c := range list {
		for d, direction := range directions {
			for i, n := range c.messages[d] {
				usual := slices.ContainsFunc(ordinary[d], func(m dhcp4.MessageType) bool { return typeIndex(m) == i })
				if n > 0 || usual {
					t.count(n, "link", c.link, "direction", direction, "type", messageTypes[i])
				}
			}
		}
	}
}

// words writes the counters of a list of words that have come to least. 0 lets
// the first of a kind be seen as an increase; 1 spares what is never seen, and
// nobody needs to be woken for.
func (t *text) words(f family, label string, w words, least uint64, list []counts, of func(counts) []uint64) {
	t.begin(f)
	for _, c := range list {
		for i, n := range of(c) {
			if n >= least {
				t.count(n, "link", c.link, label, w[i])
			}
		}
	}
}

// histogram writes cumulative buckets, as the formats want them.
func (t *text) histogram(link string, h histogram) {
	total := uint64(0)
	for i, n := range h.counts {
		bound := math.Inf(+1)
		if i < len(leaseBounds) {
			bound = leaseBounds[i].Seconds()
		}
		total += n
		t.sample("_bucket", strconv.FormatUint(total, 10), "link", link, "le", float(bound))
	}
	t.sample("_sum", float(h.sum.Seconds()), "link", link)
	t.sample("_count", strconv.FormatUint(total, 10), "link", link)
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
