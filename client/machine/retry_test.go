package machine

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// seeded is a machine whose randomness depends on seed.
func seeded(t *testing.T, seed uint64, change ...func(*Config)) *Machine {
	t.Helper()
	cfg := testConfig()
	cfg.Rand = rand.New(rand.NewPCG(seed, 0))
	for _, f := range change {
		f(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// uniform fails unless values fill [low, high) evenly.
func uniform(t *testing.T, what string, values []time.Duration, low, high time.Duration) {
	t.Helper()
	const parts = 10
	var count [parts]int
	for _, v := range values {
		if v < low || v >= high {
			t.Fatalf("%s: %v, want %v to %v", what, v, low, high)
		}
		count[int(int64(v-low)*parts/int64(high-low))]++
	}
	want := len(values) / parts
	for i, n := range count {
		if n < want*8/10 || n > want*12/10 {
			t.Errorf("%s: %d of %d values in tenth %d, want about %d", what, n, len(values), i, want)
		}
	}
}

const samples = 5000

func TestC1TheFirstMessageWaitsForARandomTime(t *testing.T) {
	for longest, shortest := range map[time.Duration]time.Duration{10 * time.Second: time.Second, time.Second: 100 * time.Millisecond} {
		var waits []time.Duration
		for seed := range uint64(samples) {
			m := seeded(t, seed, func(c *Config) { c.InitialDelay = longest })
			m.Step(epoch, Start{})
			waits = append(waits, m.Deadline().Sub(epoch))
		}
		uniform(t, "initial delay", waits, shortest, longest)
	}
}

// RFC 2131, section 4.1: "randomized by the value of a uniform random number
// chosen from the range -1 to +1".
func TestC2WaitsDoubleAndAreMovedByUpToASecond(t *testing.T) {
	for try, middle := range []time.Duration{4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, 64 * time.Second, 64 * time.Second} {
		m := seeded(t, uint64(try))
		var waits []time.Duration
		for range samples {
			waits = append(waits, m.backoff(try+1))
		}
		uniform(t, "wait", waits, middle-time.Second, middle+time.Second)
	}
}

func TestE3T1AndT2AreMovedALittle(t *testing.T) {
	const length = 1000 * time.Hour
	l := lease.Lease{
		Addr: netip.MustParsePrefix("192.0.2.77/24"), Server: netip.MustParseAddr("192.0.2.1"),
		Start: epoch, T1: epoch.Add(length / 2), T2: epoch.Add(length * 7 / 8), Expiry: epoch.Add(length),
	}
	var t1, t2 []time.Duration
	for seed := range uint64(samples) {
		m := seeded(t, seed)
		m.Step(epoch, Adopt{Lease: l})
		t1, t2 = append(t1, l.T1.Sub(m.t1)), append(t2, l.T2.Sub(m.t2))
	}
	uniform(t, "T1 before its time by", t1, 0, length/40)
	uniform(t, "T2 before its time by", t2, 0, length*3/160)
}

func TestC17PausesAfterNAKsGrowToAboutAMinute(t *testing.T) {
	m := seeded(t, 1)
	for n, want := range []time.Duration{0, 0, 1, 2, 4, 8, 16, 32, 64, 64, 64} {
		m.naks = n
		if got := m.nakPause(); got < want*time.Second || got > want*time.Second*5/4 {
			t.Errorf("after %d DHCPNAKs: %v, want about %d s", n, got, want)
		}
	}
	if m.naks = 1 << 30; m.nakPause() > 80*time.Second {
		t.Errorf("after very many DHCPNAKs: %v", m.nakPause())
	}
}

// RFC 2131, section 3.1.5: ten seconds; RFC 5227, section 2.1.1: after ten
// conflicts a minute.
func TestF6F7K8RestsAfterDeclinesGrowToAMinute(t *testing.T) {
	m := seeded(t, 1)
	for n := 1; n <= 100; n++ {
		m.declines = n
		want := min(time.Duration(n)*10*time.Second, time.Minute)
		if got := m.declinePause(); got < want || got > want+time.Second {
			t.Errorf("after %d conflicts: %v, want %v", n, got, want)
		}
	}
}

func TestF7WhatIsRememberedOfConflictsIsBounded(t *testing.T) {
	m := seeded(t, 1)
	m.Step(epoch, Start{})
	addr := netip.MustParseAddr("10.0.0.1")
	for range 1000 {
		m.decline(lease.Lease{Addr: netip.PrefixFrom(addr, 8), Server: addr}, dhcp4.HardwareAddr{2, 0, 0, 0, 0, 9})
		addr = addr.Next()
	}
	if len(m.blame) != maxOffers || len(m.avoid) != maxOffers {
		t.Errorf("%d servers and %d addresses, want %d", len(m.blame), len(m.avoid), maxOffers)
	}
}
