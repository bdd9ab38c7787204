package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

func TestErrorsComeBackAsTheyWere(t *testing.T) {
	for _, tc := range []struct {
		err, want error
		text      string
	}{
		{&Error{Name: NameNotPossible, Link: "eth0", Reason: "there is no lease"}, ErrNotPossible, "eth0: there is no lease"},
		{&Error{Name: NameObstacle, Link: "eth0", Cause: "refused by server", Reason: "DHCPNAK"}, ErrObstacle, "eth0: DHCPNAK"},
		{&Error{Name: NameFailed, Reason: "the disk is full"}, ErrFailed, "the disk is full"},
		{&Error{Name: NameNotPermitted, Reason: "root is needed"}, os.ErrPermission, "not permitted: root is needed"},
	} {
		f := &fake{do: func(context.Context, string, Command) (agent.Status, error) { return agent.Status{}, tc.err }}
		c := dialClient(t, start(t, f, Config{}))
		for range 2 { // an error does not spend the client
			_, err := c.Do(t.Context(), "eth0", Renew)
			var e *Error
			if !errors.As(err, &e) || !reflect.DeepEqual(e, tc.err) || !errors.Is(err, tc.want) || err.Error() != tc.text {
				t.Errorf("%#v (%v), want %#v", err, err, tc.err)
			}
		}
	}
	c := dialClient(t, start(t, &fake{}, Config{}))
	if _, err := c.Status(t.Context(), "eth9"); !errors.Is(err, ErrNoSuchLink) || err.Error() != "eth9: the agent has no such link" {
		t.Errorf("%v", err)
	}
	if _, err := c.Do(t.Context(), "eth0", "Explode"); !errors.Is(err, ErrUnsupported) {
		t.Errorf("%v", err)
	}
	if _, err := c.Status(t.Context(), ""); err == nil || !strings.Contains(err.Error(), `"link"`) || errors.Is(err, ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

func TestEachErrorIsOneOfTheSentinels(t *testing.T) {
	all := []error{ErrNoSuchLink, ErrNotPossible, ErrObstacle, ErrNotPermitted, ErrFailed}
	names := []string{NameNoSuchLink, NameNotPossible, NameObstacle, NameNotPermitted, NameFailed}
	if len(errorForms) != len(names) {
		t.Error("an error has no sentinel")
	}
	for i, name := range names {
		for j, sentinel := range all {
			if errors.Is(&Error{Name: name}, sentinel) != (i == j) {
				t.Errorf("%s and %v", name, sentinel)
			}
		}
	}
}

// liar is a service that answers everything with text.
func liar(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "liar")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, chunk))
			_, _ = c.Write([]byte(strings.ReplaceAll(text, "␀", "\x00")))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-over })
	return path
}

func TestRepliesThatMakeNoSense(t *testing.T) {
	for _, text := range []string{
		"", "{", "{␀", "null␀", "7␀", "{}␀", `{"parameters":{}}␀`, `{"parameters":7}␀`, `{"parameters":{"status":null}}␀`,
		`{"parameters":{"status":7}}␀`, `{"parameters":{"status":{"link":7}}}␀`, `{"parameters":{"status":{"lease":{"address":"x"}}}}␀`,
		`{"parameters":{"status":{"since":"yesterday"}}}␀`, `{"error":7}␀`, "\xff␀",
	} {
		c := dialClient(t, liar(t, text))
		s, err := c.Status(t.Context(), "eth0")
		var e *Error
		if err == nil || errors.As(err, &e) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
		if _, err := c.Status(t.Context(), "eth0"); !errors.Is(err, errSpent) {
			t.Errorf("%q: the client can still be used: %v", text, err)
		}
	}
	for text, want := range map[string]Error{
		`{"error":"com.example.Bang"}␀`:                                             {Name: "com.example.Bang"},
		`{"error":"` + Interface + `.Bang","parameters":{"reason":"x"}}␀`:           {Name: "Bang"},
		`{"error":"` + Interface + `.Failed"}␀`:                                     {Name: NameFailed},
		`{"error":"` + Interface + `.Failed","parameters":{"reason":7}}␀`:           {Name: NameFailed},
		`{"error":"org.varlink.service.MethodNotFound","parameters":{"method":7}}␀`: {Name: nameMethodNotFound},
	} {
		c := dialClient(t, liar(t, text))
		_, err := c.Status(t.Context(), "eth0")
		var e *Error
		if !errors.As(err, &e) || *e != want || err.Error() == "" {
			t.Errorf("%s: %#v", text, err)
		}
	}
}
