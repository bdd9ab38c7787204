package dhcptest

// TB is what this package needs of a *testing.T.
type TB interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// New returns a server for a test. If the test fails, what the server received
// and sent becomes part of its output.
func New(t TB, cfg Config) *Server {
	t.Helper()
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		t.Logf("what server %v received (<-) and sent (->):", s.ID())
		for _, e := range s.Log() {
			t.Logf("%v", e)
		}
	})
	return s
}
