package metrics

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxHead bounds the request line and the header together. Prometheus sends
// about 400 bytes.
const maxHead = 8 << 10

// errHead says that a request is not HTTP/1, or too long.
var errHead = errors.New("no request of HTTP/1")

// A request is what of a request's head matters here.
type request struct {
	method string
	path   string // without the query
}

// readRequest reads a request's head. It ends with errHead if that cannot be
// one, and with r's error if r fails before the end.
func readRequest(r io.Reader) (request, error) {
	limited := &io.LimitedReader{R: r, N: maxHead}
	q, err := readHead(bufio.NewReaderSize(limited, maxHead))
	if errors.Is(err, io.ErrUnexpectedEOF) && limited.N == 0 {
		err = fmt.Errorf("%w: longer than %d bytes", errHead, maxHead)
	}
	return q, err
}

func readHead(b *bufio.Reader) (request, error) {
	line, err := readLine(b)
	for err == nil && line == "" { // some clients begin so (RFC 9112, section 2.2)
		line, err = readLine(b)
	}
	if err != nil {
		return request{}, err
	}
	q, minor, ok := parseRequestLine(line)
	if !ok {
		return request{}, fmt.Errorf("%w: %.80q", errHead, line)
	}
	hosts, err := readHeader(b)
	switch {
	case err != nil:
		return request{}, err
	case hosts > 1 || hosts == 0 && minor > 0: // RFC 9112, section 3.2
		return request{}, fmt.Errorf("%w: %d Host lines", errHead, hosts)
	}
	return q, nil
}

// readHeader reads the lines up to the empty one, and counts those that name
// the host.
func readHeader(b *bufio.Reader) (hosts int, err error) {
	for {
		line, err := readLine(b)
		if err != nil || line == "" {
			return hosts, err
		}
		name, _, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) { // folded lines are obsolete, and not taken either
			return 0, fmt.Errorf("%w: header line %.80q", errHead, line)
		}
		if strings.EqualFold(name, "Host") {
			hosts++
		}
	}
}

// readLine returns a line without its end. A line that the limit cuts off is
// errHead; one that the peer cuts off is io.ErrUnexpectedEOF.
func readLine(b *bufio.Reader) (string, error) {
	line, err := b.ReadSlice('\n')
	switch {
	case err == nil:
		line = bytes.TrimSuffix(line[:len(line)-1], []byte{'\r'})
		if i := bytes.IndexAny(line, "\r\x00"); i >= 0 {
			return "", fmt.Errorf("%w: a control character", errHead)
		}
		return string(line), nil
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("%w: longer than %d bytes", errHead, maxHead)
	case errors.Is(err, io.EOF):
		return "", io.ErrUnexpectedEOF
	}
	return "", err
}

// parseRequestLine reads "GET /metrics HTTP/1.1", and the minor version.
func parseRequestLine(line string) (q request, minor byte, ok bool) {
	method, rest, _ := strings.Cut(line, " ")
	target, version, _ := strings.Cut(rest, " ")
	if !isToken(method) || !isPrintable(target) || (version != "HTTP/1.0" && version != "HTTP/1.1") {
		return q, 0, false
	}
	// The absolute form must be understood by every server (RFC 9112,
	// section 3.2.2).
	if scheme, after, ok := strings.Cut(target, "://"); ok && strings.EqualFold(scheme, "http") {
		_, path, _ := strings.Cut(after, "/")
		target = "/" + path
	}
	path, _, _ := strings.Cut(target, "?")
	if path != "*" && !strings.HasPrefix(path, "/") {
		return q, 0, false
	}
	return request{method: method, path: path}, version[len(version)-1] - '0', true
}

// isToken reports whether s may be a method or the name of a header line (RFC
// 9110, section 5.6.2).
func isToken(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && !('0' <= c && c <= '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isPrintable reports whether s is of printable ASCII characters, as a target
// is.
func isPrintable(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return s != ""
}
