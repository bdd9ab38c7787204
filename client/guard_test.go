package client

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// clumsy cannot guard an address.
type clumsy struct{ *world }

func (clumsy) Guard(netip.Addr) error { panic("a mistake") }

func TestTheMistakeThatEndsAClientIsTheOneThatIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		err := w.client(func(c *Config) { c.Prober = clumsy{w} }).Run(ctx, Remembered{})
		var p *PanicError
		if !errors.As(err, &p) || p.Value != "a mistake" {
			t.Errorf("Run: %v", err)
		}
		if !w.has("unguard") {
			t.Errorf("the guard was not ended:\n%s", w.story())
		}
	})
}
