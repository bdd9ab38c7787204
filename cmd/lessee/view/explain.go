package view

import (
	"fmt"
	"strings"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// Explanation returns, for people, where everything on a host comes from, and
// what of a lease is not followed. On a terminal long lines are wrapped.
func Explanation(e agent.Explanation, o Options) string {
	f := &sheet{pen: penFor(o)}
	f.add(f.plain(fmt.Sprintf("%s: %s, by %s from %v, asked for %s", e.Link, e.Address, e.Message, e.Server, f.atAndFrom(e.Time))), 2)
	if len(e.Host) > 0 {
		f.section("on the host")
	}
	for _, h := range e.Host {
		l := f.plain("  " + h.Kind).pad(nameWidth + 2)
		by := ", by "
		if h.Kind == "resolver" { // which no option put there
			by = ": "
		}
		f.add(l.with(f.plain(h.What+by+h.From)), nameWidth+2)
	}
	f.fates("options", e.Options, func(of agent.Fate) string { return strings.Join(of.For, ", ") })
	f.fates("not followed", e.Options, func(of agent.Fate) string { return refusals(of.Not) })
	return f.arrange(f.lines)
}

// fates writes a section of the options of which there is something to say.
func (f *sheet) fates(title string, list []agent.Fate, say func(agent.Fate) string) {
	for _, of := range list {
		text := say(of)
		if text == "" {
			continue
		}
		if title != "" {
			f.section(title)
			title = ""
		}
		name := f.plain(fmt.Sprintf("  %3d %s ", of.Code, of.Name)).pad(optionWidth + 2)
		f.add(name.with(f.plain(text)), name.width())
	}
}

func refusals(list []agent.Refusal) string {
	var texts []string
	for _, r := range list {
		texts = append(texts, withText(r.What, r.Why))
	}
	return strings.Join(texts, "; ")
}
