package client

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

// unlucky is a world in which all that can fail does, in words of its own.
type unlucky struct{ *world }

func (unlucky) Save(lease.Lease) error                      { return errors.New("not saved") }
func (unlucky) Forget() error                               { return errors.New("not forgotten") }
func (unlucky) Withdraw(context.Context, lease.Lease) error { return errors.New("not withdrawn") }
func (unlucky) Flush(context.Context) error                 { return errors.New("not flushed") }
func (unlucky) Guard(netip.Addr) error                      { return errors.New("not guarded") }
func (unlucky) Announce(context.Context, netip.Addr) error  { return errors.New("not announced") }

func TestWhatFailsBesideTheExchangeIsToldAndLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var told []string
		var log bytes.Buffer
		c := w.client(func(c *Config) {
			u := unlucky{w}
			c.Conn, c.Prober, c.Configurator, c.Store = u, u, u, u
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
			c.Notify = func(e Event) {
				if e.Kind == Trouble {
					told = append(told, e.Err.Error())
				}
				if !e.Time.Equal(time.Now()) {
					t.Errorf("%v at %v", e.Kind, e.Time)
				}
			}
		})
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		if _, err := c.Do(t.Context(), machine.Release{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		_ = stop()
		slices.Sort(told)
		want := []string{"DHCPRELEASE did not leave: not flushed", "not announced", "not forgotten", "not guarded", "not saved", "not withdrawn"}
		if !slices.Equal(told, want) {
			t.Errorf("told of %q,\nwant %q", told, want)
		}
		for _, text := range want {
			if !strings.Contains(log.String(), `level=WARN msg=trouble error="`+text+`"`) {
				t.Errorf("the log says nothing of %q:\n%s", text, &log)
			}
		}
	})
}

// deaf is a prober that cannot hear what comes.
type deaf struct{ *world }

func (deaf) Check() (net.HardwareAddr, error) { return nil, errors.New("network is down") }

func TestK10AGuardThatFailsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var told []string
		c := w.client(func(c *Config) {
			c.Prober = deaf{w}
			c.Notify = func(e Event) {
				if e.Kind == Trouble {
					told = append(told, e.Err.Error())
				}
			}
		})
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		tell(w.heard)
		synctest.Wait()
		if s := c.Status().State; s != machine.Bound || !slices.Equal(told, []string{"network is down"}) {
			t.Errorf("%v, told of %q", s, told)
		}
		_ = stop()
	})
}

func TestTheLogHasNoMoreAlarmThanThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		serve := w.serve
		w.serve = func(m *dhcp4.Message) *dhcp4.Message {
			reply := serve(m)
			if reply != nil && m.Type() == dhcp4.Request {
				_ = dhcp4.LeaseTime.Put(&reply.Options, dhcp4.Infinite)
			}
			return reply
		}
		var log bytes.Buffer
		c := w.client(func(c *Config) {
			c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		for range 2 { // they have nothing to do with any exchange
			m := answer(&dhcp4.Message{}, dhcp4.ACK)
			w.replies <- m
			tell(w.arrived)
			synctest.Wait()
		}
		_, _ = c.Do(t.Context(), machine.Resume{}) // it is not paused
		_ = stop()
		for _, line := range strings.Split(log.String(), "\n") {
			if strings.Contains(line, "expiry=") || strings.Contains(line, "level=WARN") || strings.Contains(line, "offer lost") {
				t.Errorf("of a lease that never expires, the only one offered, and nothing wrong: %s", line)
			}
		}
		if !strings.Contains(log.String(), "count=2") {
			t.Errorf("dropped messages are not counted:\n%s", &log)
		}
	})
}
