package dhcptest

import (
	"bytes"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// A Handler decides what to answer to a request: nothing, one reply, or many.
type Handler func(x *Exchange) []Reply

// A Rule changes what a handler does: it may answer by itself, change the
// replies that next returns, or call next and forget its replies. Rules with a
// memory keep it in the Handler they return.
type Rule func(next Handler) Handler

// On adds rules for requests of type t. Replies pass them in the order in
// which the rules were added, so that
//
//	srv.On(dhcp4.Discover, dhcptest.Twice, dhcptest.Delay(time.Second))
//
// sends two offers after a second. A rule that ignores a request does so for
// all rules before it.
func (s *Server) On(t dhcp4.MessageType, rules ...Rule) {
	s.Always(When(func(x *Exchange) bool { return x.Request.Type() == t }, rules...))
}

// Always adds rules for all requests.
func (s *Server) Always(rules ...Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = chain(s.handler, rules)
}

// Reset removes all rules. The book and the log stay.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = s.answer
}

// chain puts rules around h, the first innermost.
func chain(h Handler, rules []Rule) Handler {
	for _, r := range rules {
		h = r(h)
	}
	return h
}

// When applies rules to the requests for which cond is true.
func When(cond func(x *Exchange) bool, rules ...Rule) Rule {
	return func(next Handler) Handler {
		inner := chain(next, rules)
		return func(x *Exchange) []Reply {
			if cond(x) {
				return inner(x)
			}
			return next(x)
		}
	}
}

// First applies rules to the first n requests that it sees, and no more.
func First(n int, rules ...Rule) Rule {
	return func(next Handler) Handler {
		var seen atomic.Int64
		return When(func(*Exchange) bool { return seen.Add(1) <= int64(n) }, rules...)(next)
	}
}

// After applies rules to all but the first n requests that it sees.
func After(n int, rules ...Rule) Rule {
	return func(next Handler) Handler {
		var seen atomic.Int64
		return When(func(*Exchange) bool { return seen.Add(1) > int64(n) }, rules...)(next)
	}
}

// InTurn applies its first rule to the first request that it sees, its second
// rule to the second, and so on; requests after that it leaves alone. See
// [Pass].
func InTurn(rules ...Rule) Rule {
	return func(next Handler) Handler {
		var turns []Handler
		for _, r := range rules {
			turns = append(turns, r(next))
		}
		var seen atomic.Int64
		return func(x *Exchange) []Reply {
			if i := seen.Add(1) - 1; i < int64(len(turns)) {
				return turns[i](x)
			}
			return next(x)
		}
	}
}

// All joins rules to one, for [InTurn].
func All(rules ...Rule) Rule {
	return func(next Handler) Handler { return chain(next, rules) }
}

// Pass is the rule that changes nothing.
func Pass(next Handler) Handler { return next }

// Ignore is the rule of a server that did not get the request.
func Ignore(Handler) Handler {
	return func(*Exchange) []Reply { return nil }
}

// Lose is the rule of a server whose reply gets lost: it has done what it was
// asked for, and the client does not know.
func Lose(next Handler) Handler {
	return func(x *Exchange) []Reply {
		next(x)
		return nil
	}
}

// NAK refuses requests, unless they are for another server. Nothing is written
// into the book.
func NAK(why string) Rule {
	return func(Handler) Handler {
		return func(x *Exchange) []Reply {
			if id, named := x.serverAsked(); named && id != x.Server() {
				return nil
			}
			return []Reply{x.NAK(why)}
		}
	}
}

// Answer takes f's replies for those of the protocol.
func Answer(f Handler) Rule {
	return func(Handler) Handler { return f }
}

// Edit lets f change every reply. The message is the reply's own.
func Edit(f func(*Reply)) Rule {
	return func(next Handler) Handler {
		return func(x *Exchange) []Reply {
			replies := slices.Clone(next(x))
			for i := range replies {
				replies[i].Message = clone(replies[i].Message)
				f(&replies[i])
			}
			return replies
		}
	}
}

// clone returns a copy of m that shares nothing with it.
func clone(m *dhcp4.Message) *dhcp4.Message {
	c := *m
	c.CHAddr, c.Options = bytes.Clone(m.CHAddr), m.Options.Clone()
	return &c
}

// Delay holds replies back for d, on top of what held them back before.
func Delay(d time.Duration) Rule {
	return Edit(func(r *Reply) { r.Delay += d })
}

// Twice is the rule of a network that doubles datagrams.
func Twice(next Handler) Handler { return Repeat(2, 0)(next) }

// Repeat sends every reply n times in all, gap apart.
func Repeat(n int, gap time.Duration) Rule {
	return func(next Handler) Handler {
		return func(x *Exchange) []Reply {
			var out []Reply
			for _, r := range next(x) {
				for range n {
					out = append(out, r)
					r.Delay += gap
				}
			}
			return out
		}
	}
}
