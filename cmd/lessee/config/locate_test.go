package config

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

func TestKeysAreFoundWhateverStandsAround(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		path       []string
		line, col  int
	}{
		{"the first line", "a = 1", []string{"a"}, 1, 1},
		{"indented", "[t]\n\t  a = 1", []string{"t", "a"}, 2, 4},
		{"a table's name", "[ t ]\na = 1", []string{"t"}, 1, 3},
		{"a part of a table's name", "[link.eth0]", []string{"link", "eth0"}, 1, 7},
		{"a table that is a list", "[[t]]\na = 1", []string{"t"}, 1, 3},
		{"quoted", `[link."en*"]`, []string{"link", "en*"}, 1, 7},
		{"quoted by one", "[link.'en*']\na=1", []string{"link", "en*", "a"}, 2, 1},
		{"quoted, with a dot", `[link."eth0.5"]`, []string{"link", "eth0.5"}, 1, 7},
		{"quoted, with a bracket and a number sign", "[link.\"[a]#\"]\nb = 1", []string{"link", "[a]#", "b"}, 2, 1},
		{"quoted, with escapes", `"\u00e4\"" = 1`, []string{`ä"`}, 1, 1},
		{"spaces around the dot", "a . b = 1", []string{"a", "b"}, 1, 5},
		{"dotted", "defaults.metric = 1", []string{"defaults", "metric"}, 1, 10},
		{"behind a comment", "# a = 1\na = 1", []string{"a"}, 2, 1},
		{"behind a comment at the end", "b = 1 # [x] \"\na = 1", []string{"a"}, 2, 1},
		{"behind a comment in a list", "b = [ # ] [\n1 ]\na = 1", []string{"a"}, 3, 1},
		{"behind a text with a bracket", "b = \"]\\\"[#\"\na = 1", []string{"a"}, 2, 1},
		{"behind a text that ends with a backslash", "b = 'x\\'\na = 1", []string{"a"}, 2, 1},
		{"behind a long text", "b = \"\"\"\na = 2\n\\\"\"\"[x]\"\"\"\na = 1", []string{"a"}, 4, 1},
		{"behind a long text that ends with five quotes", "b = \"\"\"x\"\"\"\"\"\na = 1", []string{"a"}, 2, 1},
		{"behind a long raw text", "b = '''\na = 2\\'''\na = 1", []string{"a"}, 3, 1},
		{"behind lists in lists", "b = [[1, [2]], ']', [\n]]\na = 1", []string{"a"}, 3, 1},
		{"behind a date", "b = 1979-05-27 07:32:00\na = 1", []string{"a"}, 2, 1},
		{"in a table of one line", "t = { b = \"}\", a = 1 }", []string{"t", "a"}, 1, 16},
		{"in a table in a table", "t = { b.c = [{a = 2}], u = {a = 1} }", []string{"t", "u", "a"}, 1, 29},
		{"not the one in a list of tables", "t = [{a = 1}]\n[u]\na = 1", []string{"u", "a"}, 3, 1},
		{"behind letters of several bytes", "t = { 'ä' = 'ö', a = 1 }", []string{"t", "a"}, 1, 18},
		{"lines that end as Windows has it", "b = 1\r\n[t]\r\na = 1\r\n", []string{"t", "a"}, 3, 1},
		{"the same key in another table", "[u]\na = 1\n[t]\nb = 1\na = 1", []string{"t", "a"}, 5, 1},
	} {
		var root map[string]any
		if _, err := toml.Decode(tc.text, &root); err != nil {
			t.Errorf("%s: the test is not TOML: %v", tc.name, err)
		}
		p := locate(tc.text)
		at := p.find(tc.path...)
		if at == nil {
			t.Errorf("%s: not found", tc.name)
			continue
		}
		if line, col := p.lineCol(at.key); line != tc.line || col != tc.col {
			t.Errorf("%s: line %d, column %d, want %d, %d", tc.name, line, col, tc.line, tc.col)
		}
	}
}

func TestElementsOfAListAreFound(t *testing.T) {
	text := "a = { b = [ 'x', # ]\n  [1, 2], \"\"\"\n]\"\"\", {c = 1},] }"
	var got []string
	for _, at := range locate(text).find("a", "b").elements {
		got = append(got, text[at:at+1])
	}
	if strings.Join(got, "") != `'["{` {
		t.Errorf("elements begin with %q", got)
	}
}

// worked is how long processors have worked for this process, whatever else
// they do meanwhile.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// What is nested without end would cost the library its stack or minutes.
func TestWhatIsNestedTooDeepIsRefusedAtOnce(t *testing.T) {
	for _, text := range []string{
		"a = " + strings.Repeat("[", maxFile/2),
		"a = " + strings.Repeat("{a=", maxFile/4),
		strings.Repeat("a.", maxFile/2-4) + "a = 1",
		"[" + strings.Repeat("a.", maxFile/2-4) + "a]",
		"a = {" + strings.Repeat("a.", maxFile/2-8) + "a = 1}",
	} {
		began := worked(t)
		got := mistakes(t, text)
		if len(got) != 1 || !strings.Contains(got[0], "nested more than 16 deep") {
			t.Errorf("%.20s: %.200q", text, got)
		}
		if took := worked(t) - began; took > 5*time.Second {
			t.Errorf("%.20s took %v", text, took)
		}
	}
	parse(t, "[link.eth0]\nrequire = []")
}

func TestTheLargestFilesAreReadInAMoment(t *testing.T) {
	var keys, links strings.Builder
	for i := range maxFile / 16 {
		fmt.Fprintf(&keys, "x%d = '[#'\n", i)
	}
	for i := range maxTables {
		fmt.Fprintf(&links, "[link.\"x%d\"]\nmetric = %d\nrequire = ['routers']\n[link.\"*x%d\"]\nmtu = false\n", i, i, i)
	}
	began := worked(t)
	if got := mistakes(t, keys.String()); len(got) != maxMistakes+1 {
		t.Errorf("%q", got)
	}
	if got := mistakes(t, links.String()); len(got) != 1 || !strings.HasSuffix(got[0], "2000 tables of links; more than 1000 are not read") {
		t.Errorf("%q", got)
	}
	parse(t, links.String()[:strings.Index(links.String(), "[link.\"x200\"]")])
	if took := worked(t) - began; took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

// FuzzParse holds the reader to what it promises of any text: it ends, every
// mistake has a place within the text, and every key that the library found is
// found where it stands.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", everything, "[defaults]\nmetrc = 1\nmetric = 'x'\n", "[link.\"en*\"]\nmtu = 1\n[[link.a]]", "a = [", "a = {b = [1, '''\n]''']}",
		"defaults = { require = ['x', 'routers'] }", "\ufeff[agent]\nlinks = ['a@b@c']", "\"\\u00e4\" = \"\"\"\\\"\"\"\"", "a.\"b\".c = 1979-05-27 07:32:00 # x", "\"ܐ",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("f", text)
		text = strings.TrimPrefix(text, "\ufeff")
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if err != nil {
			e, ok := err.(*Mistakes)
			if !ok || len(e.List) == 0 || len(e.List) > maxMistakes || file != nil {
				t.Fatalf("%T %v", err, err)
			}
			last := Origin{}
			for _, m := range e.List {
				if m.Line < 1 || m.Line > len(lines) || m.Col < 1 || m.Col > len([]rune(lines[m.Line-1]))+1 || m.before(last) || m.Text == "" {
					t.Errorf("%v in a file of %d lines", m, len(lines))
				}
				last = m.Origin
				e.Excerpt(m)
			}
		} else {
			for _, link := range []string{"eth0", "en0@blue"} {
				if l, err := file.Link(link, nil); err == nil && !l.Equal(l) {
					t.Errorf("%+v differs from itself", l)
				}
			}
			if _, err := file.Agent(nil); err != nil {
				t.Errorf("it was good when it was read: %v", err)
			}
		}
		var root map[string]any
		if p := locate(text); p.deep < 0 {
			if _, err := toml.Decode(text, &root); err == nil {
				everyKeyIsFound(t, p, root)
			}
		}
	})
}

func everyKeyIsFound(t *testing.T, p *places, table map[string]any, path ...string) {
	for key, v := range table {
		path := append(path[:len(path):len(path)], key)
		at := p.find(path...)
		if at == nil {
			t.Errorf("%q is not found", path)
			continue
		}
		s := &scanner{text: p.text, pos: at.key}
		if part, _ := s.part(); part != key {
			t.Errorf("%q is found where %q stands", path, part)
		}
		if below, ok := v.(map[string]any); ok {
			everyKeyIsFound(t, p, below, path...)
		}
	}
}
