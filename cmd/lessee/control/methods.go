package control

import (
	"context"
	"reflect"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// methods are those of agent.varlink. A test compares the two.
var methods = map[string]method{
	"List":      oneReply(true, list),
	"Status":    oneReply(true, status),
	"Explain":   oneReply(true, explain),
	"Metrics":   oneReply(true, metrics),
	"Monitor":   {true, reflect.TypeFor[someLink](), reflect.TypeFor[eventOf](), monitor},
	"Inform":    oneReply(false, inform),
	"Reload":    oneReply(false, reload),
	"Renew":     oneReply(false, told(Renew)),
	"Rebind":    oneReply(false, told(Rebind)),
	"Reacquire": oneReply(false, told(Reacquire)),
	"Release":   oneReply(false, toldOnly(Release)),
	"Pause":     oneReply(false, toldOnly(Pause)),
	"Resume":    oneReply(false, toldOnly(Resume)),
}

// An input is what a method is called with.
type input interface {
	about() string // the link that it is about, if any
	lacks() string // the parameter that is missing, if any
}

// An output is what a method replies.
type output interface {
	member() string // the only one; empty if there is none
}

// What methods are called with, and what they reply.
type (
	nothing struct{}
	oneLink struct {
		Link string `json:"link"`
	}
	someLink struct {
		Link *string `json:"link,omitempty"`
	}

	linksOf struct {
		Links []agent.Status `json:"links"`
	}
	statusOf struct {
		Status agent.Status `json:"status"`
	}
	explanationOf struct {
		Explanation agent.Explanation `json:"explanation"`
	}
	informedOf agent.Informed
	eventOf    struct {
		Event agent.Event `json:"event"`
	}
	textOf struct {
		Text string `json:"text"`
	}
)

func (nothing) about() string { return "" }
func (nothing) lacks() string { return "" }

func (p oneLink) about() string { return p.Link }
func (p oneLink) lacks() string { return missing(&p.Link) }

func (p someLink) about() string {
	if p.Link == nil {
		return ""
	}
	return *p.Link
}
func (p someLink) lacks() string { return missing(p.Link) }

func (nothing) member() string       { return "" }
func (linksOf) member() string       { return "links" }
func (statusOf) member() string      { return "status" }
func (explanationOf) member() string { return "explanation" }
func (informedOf) member() string    { return "lease" }
func (eventOf) member() string       { return "event" }
func (textOf) member() string        { return "text" }

// missing finds the link without a name, which a script with an empty variable
// asks for: for Monitor it must not mean all links.
func missing(link *string) string {
	if link != nil && *link == "" {
		return "link"
	}
	return ""
}

func list(ctx context.Context, a Agent, _ nothing) (linksOf, error) {
	all, err := a.List(ctx)
	out := linksOf{make([]agent.Status, 0, len(all))} // never null
	for _, s := range all {
		out.Links = append(out.Links, short(s))
	}
	return out, err
}

// short returns s without what does not fit a line.
func short(s agent.Status) agent.Status {
	s.Events, s.Offers, s.Overrides = nil, nil, nil
	if s.Lease != nil {
		l := *s.Lease
		l.Options = nil
		s.Lease = &l
	}
	return s
}

func status(ctx context.Context, a Agent, in oneLink) (statusOf, error) {
	s, err := a.Status(ctx, in.Link)
	return statusOf{s}, err
}

func explain(ctx context.Context, a Agent, in oneLink) (explanationOf, error) {
	e, err := a.Explain(ctx, in.Link)
	return explanationOf{e}, err
}

func metrics(ctx context.Context, a Agent, _ nothing) (textOf, error) {
	text, err := a.Metrics(ctx)
	return textOf{text}, err
}

func inform(ctx context.Context, a Agent, in oneLink) (informedOf, error) {
	i, err := a.Inform(ctx, in.Link)
	return informedOf(i), err
}

func reload(ctx context.Context, a Agent, _ nothing) (nothing, error) {
	return nothing{}, a.Reload(ctx)
}

// told is the method that carries out a command and tells what holds then.
func told(c Command) func(context.Context, Agent, oneLink) (statusOf, error) {
	return func(ctx context.Context, a Agent, in oneLink) (statusOf, error) {
		s, err := a.Do(ctx, in.Link, c)
		return statusOf{s}, err
	}
}

// toldOnly is the method that carries out a command.
func toldOnly(c Command) func(context.Context, Agent, oneLink) (nothing, error) {
	return func(ctx context.Context, a Agent, in oneLink) (nothing, error) {
		_, err := a.Do(ctx, in.Link, c)
		return nothing{}, err
	}
}
