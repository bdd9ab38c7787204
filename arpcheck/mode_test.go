package arpcheck

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestNamesAreReadBackAsWhatTheyAre(t *testing.T) {
	for _, m := range []Mode{Fast, RFC5227, Off} {
		if got, err := ParseMode(m.String()); got != m || err != nil {
			t.Errorf("mode %v is read back as %v, %v", m, got, err)
		}
	}
	for _, d := range []Defence{DefendOnce, DefendNever, DefendAlways} {
		if got, err := ParseDefence(d.String()); got != d || err != nil {
			t.Errorf("defence %v is read back as %v, %v", d, got, err)
		}
	}
	type config struct {
		Probe   Mode
		Defence Defence
	}
	in := config{RFC5227, DefendAlways}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"Probe":"rfc5227","Defence":"always"}`; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	var out config
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("read back as %+v, %v", out, err)
	}
}

func TestUnknownNamesAreRefusedWithTheKnownOnes(t *testing.T) {
	m := RFC5227
	err := m.UnmarshalText([]byte("slow"))
	if err == nil || !strings.Contains(err.Error(), `"slow"`) || !strings.Contains(err.Error(), `"rfc5227"`) {
		t.Errorf("got %v, want an error that names what was read and what is known", err)
	}
	if m != RFC5227 {
		t.Errorf("mode became %v", m)
	}
	d := DefendNever
	if err := d.UnmarshalText([]byte("")); err == nil || d != DefendNever {
		t.Errorf("empty defence: %v, %v", d, err)
	}
	for _, v := range []interface{ MarshalText() ([]byte, error) }{Mode(7), Mode(-1), Defence(3)} {
		if b, err := v.MarshalText(); err == nil {
			t.Errorf("%v is written as %q", v, b)
		}
	}
}

func TestTimingThatMakesNoSenseIsRefused(t *testing.T) {
	for _, m := range []Mode{Fast, RFC5227, Off} {
		if err := m.Timing().check(); err != nil {
			t.Errorf("mode %v: %v", m, err)
		}
	}
	for _, c := range []struct {
		want   string
		change func(*Timing)
	}{
		{"ProbeWait", func(t *Timing) { t.ProbeWait = -1 }},
		{"ProbeNum", func(t *Timing) { t.ProbeNum = -1 }},
		{"ProbeMax", func(t *Timing) { t.ProbeMax = t.ProbeMin - 1 }},
		{"Window", func(t *Timing) { t.Window = 120 * time.Millisecond }},
		{"AnnounceNum", func(t *Timing) { t.AnnounceNum = 0 }},
		{"DefendInterval", func(t *Timing) { t.DefendInterval = -time.Second }},
	} {
		timing := Fast.Timing()
		c.change(&timing)
		if err := timing.check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that names it", c.want, err)
		}
	}
}
