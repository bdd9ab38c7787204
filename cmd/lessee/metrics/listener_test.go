package metrics

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// pipes is a listener in memory, so that connections live in virtual time.
type pipes struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), errs: make(chan error), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case err := <-p.errs:
		return nil, err
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial waits until the connection is accepted, at most for d.
func (p *pipes) dial(d time.Duration) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-time.After(d):
		return nil, errors.New("nobody accepts")
	}
}

// serve runs a story against a Listener in a bubble of virtual time.
func serve(t *testing.T, story func(t *testing.T, p *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		r, list := example()
		s := &Listener{Registry: r, Statuses: func() []agent.Status { return list }}
		p := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, p) }()
		story(t, p)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// browser is net/http's client over pipes.
func browser(t *testing.T, p *pipes) *http.Client {
	tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return p.dial(time.Minute) }}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// fetch makes one request and returns the answer with its body.
func fetch(t *testing.T, c *http.Client, method, url string, body io.Reader) (*http.Response, string) {
	t.Helper()
	q, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestAClientThatIsNotOursReadsTheMetrics(t *testing.T) {
	serve(t, func(t *testing.T, p *pipes) {
		c := browser(t, p)
		resp, body := fetch(t, c, "GET", "http://agent/metrics", nil)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != ContentType || !resp.Close || resp.ProtoMinor != 1 {
			t.Errorf("%+v", resp)
		}
		if date, err := http.ParseTime(resp.Header.Get("Date")); err != nil || !date.Equal(time.Now().Truncate(time.Second)) {
			t.Errorf("Date: %v, %v", date, err)
		}
		samples, err := check(body, false)
		if err != nil || len(samples) < 100 {
			t.Errorf("%d samples, %v", len(samples), err)
		}
		if resp.ContentLength != int64(len(body)) {
			t.Errorf("Content-Length: %d, the body has %d", resp.ContentLength, len(body))
		}
		head, none := fetch(t, c, "HEAD", "http://agent/metrics", nil)
		if head.StatusCode != 200 || head.ContentLength != resp.ContentLength || none != "" || head.Header.Get("Content-Type") != ContentType {
			t.Errorf("HEAD: %+v, %q", head, none)
		}
	})
}

func TestEverythingElseIsRefused(t *testing.T) {
	serve(t, func(t *testing.T, p *pipes) {
		c := browser(t, p)
		for _, tc := range []struct {
			method, path string
			status       int
		}{
			{"GET", "/", 404}, {"GET", "/metrics/", 404}, {"GET", "/metricsx", 404}, {"GET", "//metrics", 404}, {"HEAD", "/x", 404},
			{"GET", "/Metrics", 404}, {"POST", "/x", 404}, {"POST", "/metrics", 405}, {"DELETE", "/metrics", 405}, {"get", "/metrics", 405},
		} {
			resp, body := fetch(t, c, tc.method, "http://agent"+tc.path, nil)
			if resp.StatusCode != tc.status || !resp.Close || (body == "") != (tc.method == "HEAD") {
				t.Errorf("%s %s: %v, %q", tc.method, tc.path, resp.Status, body)
			}
			if allow := resp.Header.Get("Allow"); (allow == "GET, HEAD") != (tc.status == 405) {
				t.Errorf("%s %s: Allow: %q", tc.method, tc.path, allow)
			}
		}
	})
}

// ask sends bytes and returns all that comes back, and when the end came.
func ask(t *testing.T, p *pipes, text string) (answer string, after time.Duration) {
	t.Helper()
	began := time.Now()
	c, err := p.dial(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, text) // may find nobody who reads to the end
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), time.Since(began)
}

func TestGarbageIsAnsweredOnceAndShort(t *testing.T) {
	serve(t, func(t *testing.T, p *pipes) {
		for _, text := range []string{"hello\r\n\r\n", "GET /metrics HTTP/9\r\n\r\n", strings.Repeat("x", 1<<20), "\x16\x03\x01\x00\n"} {
			got, after := ask(t, p, text)
			if !strings.HasPrefix(got, "HTTP/1.1 400 Bad Request\r\n") || len(got) > 600 || after != 0 {
				t.Errorf("%.20q: after %v: %q", text, after, got)
			}
		}
		got, _ := ask(t, p, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
		if strings.Count(got, "HTTP/1.1 200") != 1 {
			t.Errorf("two requests in one connection: %.300q", got)
		}
	})
}

func TestWhoIsSlowIsCutOffAfterFiveSeconds(t *testing.T) {
	serve(t, func(t *testing.T, p *pipes) {
		for _, text := range []string{"", "GET /metrics HTTP/1.1\r\nHost: x\r\n"} {
			if got, after := ask(t, p, text); got != "" || after != headTime {
				t.Errorf("%q: after %v: %q", text, after, got)
			}
		}
		c, err := p.dial(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for err == nil && time.Since(began) < time.Hour {
			_, err = c.Write([]byte("x")) // a byte a second
			time.Sleep(time.Second)
		}
		if after := time.Since(began); after > headTime+2*time.Second {
			t.Errorf("a byte a second is read for %v", after)
		}
	})
}

func TestWhoDoesNotTakeTheAnswerIsCutOff(t *testing.T) {
	serve(t, func(t *testing.T, p *pipes) {
		c, err := p.dial(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		first, err := bufio.NewReaderSize(c, 16).ReadByte()
		if err != nil || first != 'H' {
			t.Fatalf("%q, %v", first, err)
		}
		pass(answerTime)
		if n, err := io.Copy(io.Discard, c); n > 100 {
			t.Errorf("%d bytes more after %v, %v", n, answerTime, err)
		}
	})
}

func TestEightAreServedAtOnceAndTheOthersWait(t *testing.T) {
	serve(t, func(t *testing.T, p *pipes) {
		for i := range maxConns {
			if _, err := p.dial(time.Minute); err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			synctest.Wait()
		}
		if _, err := p.dial(headTime - time.Millisecond); err == nil {
			t.Error("one more is accepted while eight are open")
		}
		resp, _ := fetch(t, browser(t, p), "GET", "http://agent/metrics", nil)
		if resp.StatusCode != 200 {
			t.Errorf("after the idle ones were cut off: %v", resp.Status)
		}
	})
}

func TestTheEndOfServeEndsItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := example()
		s := &Listener{Registry: r, Statuses: func() []agent.Status { return nil }}
		p := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, p) }()
		for range maxConns { // no room is left, so that nothing is being accepted
			if _, err := p.dial(time.Minute); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		began := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(began) != 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if _, err := p.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener is open: %v", err)
		}
	})
}

func TestAKernelWithoutDescriptorsIsAskedAgain(t *testing.T) {
	serve(t, func(t *testing.T, p *pipes) {
		for range 2 * maxConns {
			p.errs <- errors.New("accept: too many open files")
			time.Sleep(retryTime)
		}
		if resp, _ := fetch(t, browser(t, p), "GET", "http://agent/metrics", nil); resp.StatusCode != 200 {
			t.Errorf("%v", resp.Status)
		}
	})
}

func TestAListenerThatWasClosedIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		p.Close()
		s := &Listener{Registry: New(Config{}), Statuses: func() []agent.Status { return nil }}
		if err := s.Serve(t.Context(), p); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}
