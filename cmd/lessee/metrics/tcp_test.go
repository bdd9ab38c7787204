package metrics

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee/client/nettest"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

func TestMain(m *testing.M) { nettest.Main(m) }

// TestOverTCPNobodyLosesTheAnswer has what pipes do not have: a peer that is
// reset because it sent more than was read.
func TestOverTCPNobodyLosesTheAnswer(t *testing.T) {
	n := nettest.New(t)
	a, b := n.Host("a"), n.Host("b")
	n.Connect(a, "eth0", b, "eth0")
	a.Addr("eth0", "192.0.2.1/24")
	b.Addr("eth0", "192.0.2.2/24")
	var l net.Listener
	a.Must(func() (err error) {
		l, err = net.Listen("tcp", "192.0.2.1:9550")
		return err
	})
	r, list := example()
	s := &Listener{Registry: r, Statuses: func() []agent.Status { return list }}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()

	tr := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		err = b.Do(func() error { c, err = new(net.Dialer).DialContext(ctx, network, addr); return err })
		return c, err
	}}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, Timeout: 20 * time.Second}
	for range 20 {
		conn, err := tr.DialContext(ctx, "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		post(t, conn)
	}
	var readers sync.WaitGroup
	for i := range 2 * maxConns {
		readers.Go(func() {
			for range 5 {
				r.Link("eth0").Changed(i)
				if err := scrape(t.Context(), c, "http://192.0.2.1:9550/metrics"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// post sends more than is read of it. The end must come as an end, and not as a
// reset that may overtake the answer.
func post(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, "POST /metrics HTTP/1.1\r\n"+host+"\r\n"+strings.Repeat("x", 32<<10)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if conn.Close(); err != nil || !strings.Contains(string(answer), "405 Method Not Allowed") {
		t.Fatalf("%q, %v", answer, err)
	}
}

// scrape reads and checks the metrics, as a monitoring does.
func scrape(ctx context.Context, c *http.Client, url string) error {
	q, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	_, err = check(string(b), false)
	return err
}
