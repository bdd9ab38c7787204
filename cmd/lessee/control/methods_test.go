package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/varlink/go/varlink"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// object is v as a peer sees it that knows nothing of our types.
func object(t *testing.T, v any) (out map[string]any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// generic is a connection of the library, which knows nothing of our types.
func generic(t *testing.T, path string) *varlink.Connection {
	t.Helper()
	c, err := varlink.NewConnection(t.Context(), "unix:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestAStrangersClientCallsEveryMethod(t *testing.T) {
	eth0 := map[string]any{"link": "eth0"}
	whole := map[string]any{"status": object(t, everything())}
	brief := object(t, everything())
	delete(brief, "events")
	delete(brief, "offers")
	delete(brief, "overrides")
	delete(brief["lease"].(map[string]any), "options")
	called := map[string]bool{"Monitor": true} // has its own test
	for _, tc := range []struct {
		method string
		in     map[string]any
		want   map[string]any
		did    string
	}{
		{"List", nil, map[string]any{"links": []any{brief}}, "List"},
		{"Status", eth0, whole, "Status eth0"},
		{"Renew", eth0, whole, "Renew eth0"},
		{"Rebind", eth0, whole, "Rebind eth0"},
		{"Reacquire", eth0, whole, "Reacquire eth0"},
		{"Release", eth0, map[string]any{}, "Release eth0"},
		{"Pause", eth0, map[string]any{}, "Pause eth0"},
		{"Resume", eth0, map[string]any{}, "Resume eth0"},
		{"Explain", eth0, map[string]any{"explanation": object(t, explained())}, "Explain eth0"},
		{"Inform", eth0, object(t, agent.Informed{Lease: *everything().Lease, Overrides: everything().Overrides}), "Inform eth0"},
		{"Reload", map[string]any{}, map[string]any{}, "Reload"},
		{"Metrics", nil, map[string]any{"text": "# EOF\n"}, "Metrics"},
	} {
		f := &fake{}
		c := generic(t, start(t, f, Config{}))
		out := map[string]any{}
		if err := c.Call(t.Context(), Interface+"."+tc.method, tc.in, &out); err != nil {
			t.Errorf("%s: %v", tc.method, err)
		}
		if !reflect.DeepEqual(out, tc.want) {
			t.Errorf("%s: %v\nwant %v", tc.method, out, tc.want)
		}
		if did := f.done(); len(did) != 1 || did[0] != tc.did {
			t.Errorf("%s: the agent did %v", tc.method, did)
		}
		called[tc.method] = true
	}
	for name := range methods {
		if !called[name] {
			t.Errorf("%s is not called", name)
		}
	}
}

func TestAStrangersClientMonitors(t *testing.T) {
	f := &fake{}
	c := generic(t, start(t, f, Config{}))
	receive, err := c.Send(t.Context(), Interface+".Monitor", map[string]any{"link": "eth0"}, varlink.More)
	if err != nil {
		t.Fatal(err)
	}
	f.subscribed(t)
	for n := range 3 {
		f.tell(t, event(n))
		out := map[string]any{}
		flags, err := receive(t.Context(), &out)
		if err != nil || flags != varlink.Continues || !reflect.DeepEqual(out["event"], any(object(t, event(n)))) {
			t.Errorf("%d: %v, %d, %v", n, out, flags, err)
		}
	}
}

func TestTheServiceTellsWhatItIs(t *testing.T) {
	c := generic(t, start(t, &fake{}, Config{Version: "1.2"}))
	var product, version string
	var names []string
	if err := c.GetInfo(t.Context(), nil, &product, &version, nil, &names); err != nil {
		t.Fatal(err)
	}
	if product != "lessee" || version != "1.2" || !slices.Equal(names, []string{"org.varlink.service", Interface}) {
		t.Errorf("%s %s %v", product, version, names)
	}
	if text, err := c.GetInterfaceDescription(t.Context(), Interface); err != nil || text != description {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestCallsThatMakeNoSense(t *testing.T) {
	w := dialHand(t, start(t, &fake{}, Config{}))
	const invalid = "org.varlink.service.InvalidParameter"
	for _, tc := range []struct{ call, err, name, value string }{
		{`{"method":"` + Interface + `.Status"}`, invalid, "parameter", "link"},
		{`{"method":"` + Interface + `.Status","parameters":null}`, invalid, "parameter", "link"},
		{`{"method":"` + Interface + `.Status","parameters":{"link":null}}`, invalid, "parameter", "link"},
		{`{"method":"` + Interface + `.Status","parameters":{"link":""}}`, invalid, "parameter", "link"},
		{`{"method":"` + Interface + `.Status","parameters":{"link":7}}`, invalid, "parameter", "link"},
		{`{"method":"` + Interface + `.Status","parameters":{"link":"eth0","lnk":1}}`, invalid, "parameter", "lnk"},
		{`{"method":"` + Interface + `.Status","parameters":[]}`, invalid, "parameter", "parameters"},
		{`{"method":"` + Interface + `.Monitor","parameters":{"lnk":"eth0"},"more":true}`, invalid, "parameter", "lnk"},
		{`{"method":"` + Interface + `.Monitor","parameters":{"link":""},"more":true}`, invalid, "parameter", "link"},
		{`{"method":"` + Interface + `.List","parameters":{"x":1}}`, invalid, "parameter", "x"},
		{`{"method":"` + Interface + `.List","upgrade":true}`, invalid, "parameter", "upgrade"},
		{`{"method":"List"}`, invalid, "parameter", "method"},
		{`{"method":"` + Interface + `.Nonsense"}`, "org.varlink.service.MethodNotFound", "method", Interface + ".Nonsense"},
		{`{"method":"com.example.List"}`, "org.varlink.service.InterfaceNotFound", "interface", "com.example"},
		{`{"method":"` + Interface + `.Status","parameters":{"link":"eth9"}}`, Interface + ".NoSuchLink", "link", "eth9"},
		{`{"method":"` + Interface + `.Monitor","parameters":{"link":"eth9"}}`, Interface + ".NoSuchLink", "link", "eth9"},
	} {
		w.send(tc.call + "␀")
		if r := w.want(); r.Error != tc.err || r.Parameters[tc.name] != tc.value || len(r.Parameters) != 1 {
			t.Errorf("%s: %+v", tc.call, r)
		}
	}
	w.send(`{"method":"` + Interface + `.List","more":true}␀`) // more than one reply would be accepted
	if r := w.want(); r.Error != "" || r.Continues || r.Parameters["links"] == nil {
		t.Errorf("the connection does not go on well: %+v", r)
	}
}

func TestAOnewayCallIsDoneAndNotAnswered(t *testing.T) {
	f := &fake{}
	w := dialHand(t, start(t, f, Config{}))
	w.send(`{"method":"` + Interface + `.Renew","parameters":{"link":"eth0"},"oneway":true}␀`)
	w.send(`{"method":"` + Interface + `.Monitor","oneway":true,"more":true}␀`)
	w.send(`{"method":"` + Interface + `.Metrics"}␀`)
	if r := w.want(); r.Parameters["text"] != "# EOF\n" {
		t.Errorf("%+v", r)
	}
	if did := f.done(); !slices.Equal(did, []string{"Renew eth0", "Metrics"}) {
		t.Errorf("the agent did %v", did)
	}
}

func TestWhatStandsInTheWayIsTold(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want reply
	}{
		{"an obstacle of the client", fmt.Errorf("renew: %w", &client.Obstacle{Report: machine.Report{Cause: machine.CauseNAK, Text: "DHCPNAK from 192.0.2.1"}}),
			reply{Error: "Obstacle", Parameters: map[string]any{"link": "eth0", "cause": "refused by server", "reason": "renew: refused by server: DHCPNAK from 192.0.2.1"}}},
		{"what the agent does not have", fmt.Errorf("eth0: %w", agent.ErrNoSuchLink),
			reply{Error: "NoSuchLink", Parameters: map[string]any{"link": "eth0"}}},
		{"what the agent cannot do", fmt.Errorf("eth0: %w: no carrier", agent.ErrNotPossible),
			reply{Error: "NotPossible", Parameters: map[string]any{"link": "eth0", "reason": "not possible now: no carrier"}}},
		{"not possible", &Error{Name: NameNotPossible, Reason: "there is no lease"},
			reply{Error: "NotPossible", Parameters: map[string]any{"link": "eth0", "reason": "there is no lease"}}},
		{"another link's", &Error{Name: NameNotPossible, Link: "eth1", Reason: "it has it"},
			reply{Error: "NotPossible", Parameters: map[string]any{"link": "eth1", "reason": "it has it"}}},
		{"a name that is not ours", &Error{Name: "Nonsense", Link: "eth0", Reason: "why"},
			reply{Error: "Failed", Parameters: map[string]any{"reason": "eth0: why"}}},
		{"anything else", errors.New("the disk is full"),
			reply{Error: "Failed", Parameters: map[string]any{"reason": "the disk is full"}}},
	} {
		f := &fake{do: func(context.Context, string, Command) (agent.Status, error) {
			return agent.Status{}, tc.err
		}}
		w := dialHand(t, start(t, f, Config{}))
		w.send(`{"method":"` + Interface + `.Renew","parameters":{"link":"eth0"}}␀`)
		tc.want.Error = Interface + "." + tc.want.Error
		if r := w.want(); !reflect.DeepEqual(r, tc.want) {
			t.Errorf("%s: %+v", tc.name, r)
		}
	}
}

func TestEveryMethodTellsThatItFailed(t *testing.T) {
	w := dialHand(t, start(t, &fake{err: errors.New("the disk is full")}, Config{}))
	for name, m := range methods {
		parameters := "{}"
		if m.in.NumField() > 0 {
			parameters = `{"link":"eth0"}`
		}
		w.send(`{"method":"` + Interface + "." + name + `","parameters":` + parameters + "}␀")
		want := reply{Error: Interface + ".Failed", Parameters: map[string]any{"reason": "the disk is full"}}
		if r := w.want(); !reflect.DeepEqual(r, want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestAListOfNothingIsAList(t *testing.T) {
	w := dialHand(t, start(t, &fake{none: true}, Config{}))
	w.send(`{"method":"` + Interface + `.List"}␀`)
	if links, ok := w.want().Parameters["links"].([]any); !ok || len(links) != 0 {
		t.Errorf("%v", links)
	}
}

func TestWhatIsLeftOutOfAListStaysWithTheAgent(t *testing.T) {
	s := everything()
	short(s)
	if !reflect.DeepEqual(s, everything()) {
		t.Errorf("%+v", s)
	}
}
