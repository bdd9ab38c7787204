package dbus

import "fmt"

// A Path names an object of a service.
type Path string

// A Signature tells the types of values.
type Signature string

// A Variant is a value that brings its type along.
type Variant struct {
	Signature Signature
	Value     any
}

// The limits of the specification ("Marshaling", "Message Format"). Ours for a
// message is far below: what we ask for takes some kilobytes.
const (
	maxMessage = 1 << 20
	maxDepth   = 32
	maxSig     = 255
)

// aligned is where values of a type begin: at multiples of this.
func aligned(t byte) int {
	switch t {
	case 'n', 'q':
		return 2
	case 'b', 'i', 'u', 's', 'o', 'a':
		return 4
	case 'x', 't', 'd', '(', '{':
		return 8
	}
	return 1 // y, g, v
}

// next splits the first complete type off a signature.
func next(sig string) (first, rest string, err error) {
	n, err := length(sig, 0)
	if err != nil {
		return "", "", fmt.Errorf("signature %q: %w", sig, err)
	}
	return sig[:n], sig[n:], nil
}

// length is how many bytes of sig its first complete type takes.
func length(sig string, depth int) (int, error) {
	switch {
	case sig == "":
		return 0, errCut
	case depth > maxDepth:
		return 0, errDeep
	}
	switch sig[0] {
	case 'y', 'b', 'n', 'q', 'i', 'u', 'x', 't', 'd', 's', 'o', 'g', 'v':
		return 1, nil
	case 'a':
		n, err := length(sig[1:], depth+1)
		return n + 1, err
	case '(', '{':
		end := byte(')')
		if sig[0] == '{' {
			end = '}'
		}
		for n := 1; n < len(sig); {
			if sig[n] == end && n > 1 {
				return n + 1, nil
			}
			m, err := length(sig[n:], depth+1)
			if err != nil {
				return 0, err
			}
			n += m
		}
		return 0, errCut
	}
	return 0, fmt.Errorf("no type is called %q", sig[0])
}
