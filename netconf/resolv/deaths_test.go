package resolv

import (
	"errors"
	"fmt"
	"testing"
)

func TestResolvedIsPutBackWhereverAProcessDies(t *testing.T) {
	r := newRig(t)
	r.Resolved("")
	eth0, eth1 := with(one, 200, "one.example"), with(two, 100, "two.example")
	for name, settings := range map[string][]string{"nothing": nil, "servers and modes": operator["servers and modes"]} {
		before := r.prepare(settings)
		llmnr := r.Resolvectl("llmnr eth0")
		for _, tc := range []struct {
			name   string
			before []part
			op     func(*Resolved) error
		}{
			{"the first lease", nil, func(b *Resolved) error { return b.Set("eth0", eth0.Config) }},
			{"other servers", []part{eth0}, func(b *Resolved) error { return b.Set("eth0", with(changed, 200, "").Config) }},
			{"a second link", []part{eth0}, func(b *Resolved) error { return b.Set("eth1", eth1.Config) }},
			{"the first of two goes", []part{eth0, eth1}, func(b *Resolved) error { return b.Unset("eth0") }},
			{"the second of two goes", []part{eth0, eth1}, func(b *Resolved) error { return b.Unset("eth1") }},
			{"the last one goes", []part{eth0}, func(b *Resolved) error { return b.Unset("eth0") }},
		} {
			for n, died := 1, true; died; n++ {
				for next, do := range map[string]func(*Resolved) error{
					"withdraw":    func(*Resolved) error { return nil },
					"again":       tc.op,
					"a new lease": func(b *Resolved) error { return b.Set("eth0", eth0.Config) },
				} {
					if settings == nil && next == "again" {
						continue // it takes long enough
					}
					for _, p := range tc.before {
						must(t, r.Do(func() error { return r.backend().Set(p.Link, p.Config) }))
					}
					died = r.dies(n, tc.op)
					when := fmt.Sprintf("%s, %s, dead before step %d, then %s", name, tc.name, n, next)
					must(t, r.Do(func() error { return do(r.backend()) }))
					if next == "a new lease" && r.Resolvectl("llmnr eth0") != llmnr {
						t.Fatalf("%s: LLMNR of the link is not the operator's any more", when)
					}
					must(t, r.Do(func() error {
						return errors.Join(r.backend().Unset("eth0"), r.backend().Unset("eth1"))
					}))
					if after := r.State(); after != before {
						t.Fatalf("%s: before\n%s\nafter\n%s", when, before, after)
					}
					r.unnoted(when)
				}
			}
		}
		r.Resolvectl("revert eth0")
		r.Resolvectl("revert eth1")
	}
}

// dies runs op on a Resolved whose process dies before its n-th step, and
// reports whether it came to that.
func (r *rig) dies(n int, op func(*Resolved) error) (died bool) {
	r.t.Helper()
	steps := 0
	err := r.Do(func() (err error) {
		b := r.backend()
		b.Step = func(string) {
			if steps++; steps == n {
				panic(dead{})
			}
		}
		defer func() {
			if p := recover(); p != nil {
				if _, ok := p.(dead); !ok {
					panic(p)
				}
				died = true
			}
		}()
		return op(b)
	})
	must(r.t, err)
	return died
}
