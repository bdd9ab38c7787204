package metrics

import (
	"strconv"
	"time"
)

// httpDate is the form of the Date line (RFC 9110, section 5.6.7).
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// answer makes the whole answer to a request, or to one that could not be read.
func (s *Listener) answer(q request, err error) []byte {
	a := answer{now: s.now(), head: q.method == "HEAD"}
	switch {
	case err != nil:
		return a.text("400 Bad Request", err.Error()+"\n")
	case q.path != "/metrics":
		return a.text("404 Not Found", "only /metrics is here\n")
	case q.method != "GET" && q.method != "HEAD":
		a.allow = "GET, HEAD"
		return a.text("405 Method Not Allowed", "only GET and HEAD are understood\n")
	}
	return a.bytes("200 OK", ContentType, s.Registry.render(s.Statuses(), false))
}

// An answer is what surrounds the body.
type answer struct {
	now   time.Time
	head  bool   // without the body
	allow string // with 405
}

func (a answer) text(status, body string) []byte {
	return a.bytes(status, "text/plain; charset=utf-8", []byte(body))
}

func (a answer) bytes(status, contentType string, body []byte) []byte {
	b := make([]byte, 0, 256+len(body))
	line := func(name, value string) {
		b = append(b, name...)
		b = append(b, value...)
		b = append(b, "\r\n"...)
	}
	line("HTTP/1.1 ", status)
	line("Date: ", a.now.UTC().Format(httpDate))
	line("Content-Type: ", contentType)
	line("Content-Length: ", strconv.Itoa(len(body)))
	line("X-Content-Type-Options: ", "nosniff") // it may repeat what it was asked
	if a.allow != "" {
		line("Allow: ", a.allow)
	}
	line("Connection: ", "close")
	line("", "")
	if a.head {
		return b
	}
	return append(b, body...)
}
