package kernelargs

import "strings"

// A word is one parameter of the line.
type word struct {
	number, column int // from 1; columns count bytes
	text           string
}

// parts splits a word at its first "=".
func (w word) parts() (key, value string, hasValue bool) { return strings.Cut(w.text, "=") }

// words parts the line as the kernel does: at white space that is not between
// double quotes. Quotes that enclose the word or its value are taken away. What
// follows "--" is for the first process.
func words(line string) (list []word) {
	for at := 0; at < len(line); {
		if isSpace(line[at]) {
			at++
			continue
		}
		end, quoted := at, false
		for ; end < len(line) && (quoted || !isSpace(line[end])); end++ {
			if line[end] == '"' {
				quoted = !quoted
			}
		}
		text := line[at:end]
		if text == "--" {
			break
		}
		list = append(list, word{len(list) + 1, at + 1, unquoted(text)})
		at = end
	}
	return list
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// unquoted takes away the quotes around a word, or around what follows its
// first "=".
func unquoted(text string) string {
	key, value, hasValue := strings.Cut(text, "=")
	switch {
	case strings.HasPrefix(text, `"`):
		return strings.TrimSuffix(text[1:], `"`)
	case hasValue && strings.HasPrefix(value, `"`):
		return key + "=" + strings.TrimSuffix(value[1:], `"`)
	}
	return text
}
