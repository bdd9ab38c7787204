package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// FuzzBytesOnTheSocket sends bytes in pieces to a service with small limits,
// and reads what comes. Whatever the bytes are, nothing panics, every reply is
// one, there are no more replies than messages, and the connection ends.
func FuzzBytesOnTheSocket(f *testing.F) {
	for _, text := range []string{
		metricsCall + renewCall, monitorCall, renewCall[:20], "␀␀", "{}␀", strings.Repeat("[", 600) + "␀",
		`{"method":"org.varlink.service.GetInfo"}␀`,
		`{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"` + Interface + `"}}␀`,
		`{"method":"org.varlink.service.GetInterfaceDescription","parameters":7}␀`,
		`{"method":"` + Interface + `.List","more":true,"oneway":true,"upgrade":true}␀` + metricsCall,
		`{"method":"` + Interface + `.Status","parameters":{"link":"\ud800"}}␀`,
		`{"method":"` + Interface + `.Inform","parameters":{"link":["eth0"]}}␀`,
		`{"method":"` + Interface + `.Reload","parameters":{}}␀` + metricsCall + `{"method":".x"}␀{"method":"x."}␀`,
	} {
		f.Add([]byte(strings.ReplaceAll(text, "␀", "\x00")), uint16(7))
		f.Add([]byte(strings.ReplaceAll(text, "␀", "\x00")), uint16(5000))
	}
	f.Fuzz(func(t *testing.T, data []byte, piece uint16) {
		synctest.Test(t, func(t *testing.T) { bytesOnTheSocket(t, data, max(int(piece), 1)) })
	})
}

func bytesOnTheSocket(t *testing.T, data []byte, piece int) {
	const limit = 512
	p, refused := newPorch(), &tray{}
	a := talkative{&fake{do: func(context.Context, string, Command) (agent.Status, error) { return everything(), nil }}}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() {
		served <- Serve(ctx, p, a, Config{Refused: refused.add, peer: root, Limits: Limits{Message: limit}})
	}()
	w := p.connect(t)
	go func() {
		for rest := data; len(rest) > 0; {
			n := min(piece, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				return // cut off
			}
			rest = rest[n:]
		}
	}()
	began := time.Now()
	replies := readReplies(t, w)
	if most := bytes.Count(data, []byte{0}); replies > most*(eventsToTell+1) {
		t.Errorf("%d replies to %d messages", replies, most)
	}
	if took := time.Since(began); took > idleLimit+halfLimit {
		t.Errorf("the connection lasted %v", took)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	all := refused.all()
	if all[Panicked] > 0 || all[Broken] > 0 {
		t.Errorf("refused: %v", all)
	}
}

// readReplies reads until the connection is closed, and counts.
func readReplies(t *testing.T, r io.Reader) (n int) {
	t.Helper()
	in := bufio.NewReader(r)
	for ; ; n++ {
		b, err := in.ReadBytes(0)
		if err != nil {
			if len(b) > 0 {
				t.Errorf("half a reply: %q", b)
			}
			return n
		}
		var m struct {
			Parameters map[string]any
			Error      *string
			Continues  *bool
		}
		d := json.NewDecoder(bytes.NewReader(b[:len(b)-1]))
		d.DisallowUnknownFields()
		if err := d.Decode(&m); err != nil || m.Error == nil && m.Parameters == nil {
			t.Errorf("no reply: %v: %q", err, b)
		}
	}
}

const eventsToTell = 3

// talkative is an agent whose events come at once, and end.
type talkative struct{ *fake }

func (talkative) Subscribe(context.Context, string) (<-chan agent.Event, error) {
	c := make(chan agent.Event, eventsToTell)
	for n := range eventsToTell {
		c <- event(n)
	}
	close(c)
	return c, nil
}
