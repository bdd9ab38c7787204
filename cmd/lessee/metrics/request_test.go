package metrics

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const host = "Host: 127.0.0.1:9550\r\n"

func TestRequestsAreReadAsHTTPSays(t *testing.T) {
	for text, want := range map[string]request{
		"GET /metrics HTTP/1.1\r\n" + host + "\r\n":                                         {"GET", "/metrics"},
		"GET /metrics HTTP/1.0\r\n\r\n":                                                     {"GET", "/metrics"},
		"\r\nGET /metrics HTTP/1.1\r\n" + host + "\r\n":                                     {"GET", "/metrics"},
		"GET /metrics HTTP/1.1\nHost: x\n\n":                                                {"GET", "/metrics"},
		"GET /metrics?name[]=x HTTP/1.1\r\n" + host + "\r\n":                                {"GET", "/metrics"},
		"GET http://x:9550/metrics HTTP/1.1\r\n" + host + "\r\n":                            {"GET", "/metrics"},
		"GET HTTP://x HTTP/1.1\r\n" + host + "\r\n":                                         {"GET", "/"},
		"HEAD / HTTP/1.1\r\nhOST: x\r\nAccept: a/b\r\n\r\n":                                 {"HEAD", "/"},
		"OPTIONS * HTTP/1.1\r\n" + host + "\r\n":                                            {"OPTIONS", "*"},
		"POST /metrics HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc":                {"POST", "/metrics"},
		"GET /metrics HTTP/1.1\r\n" + host + "X: " + strings.Repeat("y", 8000) + "\r\n\r\n": {"GET", "/metrics"},
	} {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text))} {
			if got, err := readRequest(r); err != nil || got != want {
				t.Errorf("%.60q, %s: %+v, %v", text, name, got, err)
			}
		}
	}
}

func TestWhatIsNoRequestIsSaidToBeNone(t *testing.T) {
	for _, text := range []string{
		"hello\r\n",
		"GET /metrics\r\n\r\n", // HTTP/0.9
		"GET /metrics HTTP/2.0\r\n" + host + "\r\n",
		"GET /metrics HTTP/1.1 \r\n" + host + "\r\n",
		"GET  /metrics HTTP/1.1\r\n" + host + "\r\n",
		" GET /metrics HTTP/1.1\r\n" + host + "\r\n",
		"GET metrics HTTP/1.1\r\n" + host + "\r\n",
		"GET ftp://x/metrics HTTP/1.1\r\n" + host + "\r\n",
		"GET /metr\xffics HTTP/1.1\r\n" + host + "\r\n",
		"GET /\x1b[31m HTTP/1.1\r\n" + host + "\r\n",
		"G\"T /metrics HTTP/1.1\r\n" + host + "\r\n",
		"GET /metrics HTTP/1.1\r\n\r\n",                    // no Host
		"GET /metrics HTTP/1.1\r\n" + host + host + "\r\n", // two
		"GET /metrics HTTP/1.1\r\n" + host + "no colon\r\n\r\n",
		"GET /metrics HTTP/1.1\r\n" + host + "X : y\r\n\r\n",
		"GET /metrics HTTP/1.1\r\n" + host + " folded: x\r\n\r\n",
		"GET /metrics HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n",
		"GET /metrics HTTP/1.1\r\n" + host + "X: a\x00b\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", // TLS
		strings.Repeat("a", maxHead),
		strings.Repeat("\n", maxHead),
		"GET /metrics HTTP/1.1\r\n" + host + strings.Repeat("X: y\r\n", 2000),
		"GET /" + strings.Repeat("y", maxHead) + " HTTP/1.1\r\n" + host + "\r\n",
	} {
		if got, err := readRequest(strings.NewReader(text)); !errors.Is(err, errHead) {
			t.Errorf("%.60q: %+v, %v", text, got, err)
		}
	}
}

func TestARequestThatStopsIsNotAnswered(t *testing.T) {
	text := "GET /metrics HTTP/1.1\r\n" + host + "\r\n"
	for i := range len(text) {
		if _, err := readRequest(strings.NewReader(text[:i])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", text[:i], err)
		}
	}
	if _, err := readRequest(iotest.ErrReader(errBroken)); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add("GET /metrics HTTP/1.1\r\n" + host + "\r\n")
	f.Add("HEAD http://x/metrics?a=b HTTP/1.0\r\n\r\n")
	f.Add("\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := strings.NewReader(text)
		q, err := readRequest(r)
		if read := len(text) - r.Len(); read > maxHead {
			t.Fatalf("%d bytes were read", read)
		}
		if err != nil {
			if q != (request{}) || !errors.Is(err, errHead) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%+v, %v", q, err)
			}
			return
		}
		if !isToken(q.method) || strings.ContainsAny(q.path, " ?\r\n\x00\x1b") || q.path == "" {
			t.Fatalf("%+v", q)
		}
		line := q.method + " " + q.path + " HTTP/1.1\r\n" + host + "\r\n"
		if again, err := readRequest(strings.NewReader(line)); len(line) < maxHead && (err != nil || again != q) {
			t.Fatalf("%+v, then %+v, %v", q, again, err)
		}
	})
}
