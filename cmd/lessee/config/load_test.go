package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOnlyARegularFileOfSomeSizeIsRead(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("good", "[defaults]\nmetric = 3\n")
	write("windows", "\ufeff[defaults]\r\nmetric = 3\r\n")
	write("largest", "[defaults]\nmetric = 3\n#"+strings.Repeat("x", maxFile-23))
	write("too-large", "[defaults]\nmetric = 3\n#"+strings.Repeat("x", maxFile-22))
	if err := errors.Join(unix.Mkfifo(path("fifo"), 0o600), os.Symlink("good", path("link")), os.Symlink("loop", path("loop"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"good", "windows", "largest", "link"} {
		f, err := Load(path(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if l, err := f.Link("eth0", nil); err != nil || l.Host.Metric != 3 || f.Path != path(name) {
			t.Errorf("%s: metric %d, %v", name, l.Host.Metric, err)
		}
	}
	for name, want := range map[string]string{
		"too-large": "more than 1048576 bytes",
		"fifo":      "not a regular file",
		"":          "not a regular file",
		"loop":      "too many levels of symbolic links",
		"missing":   "no such file or directory",
		"good/x":    "not a directory",
	} {
		f, err := Load(path(name))
		if f != nil || err == nil || err.Error() != "configuration "+path(name)+": "+want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		if missing := errors.Is(err, fs.ErrNotExist); missing != (name == "missing") {
			t.Errorf("%s: missing: %v", name, missing)
		}
	}
}

func TestTheTableIsSound(t *testing.T) {
	all := append(LinkSettings(), AgentSettings()...)
	name := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for i, s := range all {
		header := "[defaults]\n"
		if s.Group == Whole {
			header = "[agent]\n"
		}
		if !s.standsIn("") {
			header = "[defaults." + s.In[0] + "]\n"
		}
		switch {
		case seen[s.Name] || !name.MatchString(s.Name):
			t.Errorf("%s: bad name", s.Name)
		case s.Usage == "" || s.Example == "":
			t.Errorf("%s: no usage or example", s.Name)
		case s.many() != (s.Default == nil) || !s.many() && len(s.Default) != 1:
			t.Errorf("%s: default %q", s.Name, s.Default)
		case s.Commas && s.Kind != List:
			t.Errorf("%s: commas", s.Name)
		case (s.Group == Whole) != (i >= len(LinkSettings())):
			t.Errorf("%s: group %d", s.Name, s.Group)
		}
		seen[s.Name] = true
		text := header + s.Name + " = " + s.Literal(s.Default) + "\n"
		if _, err := Parse("f", text); err != nil {
			t.Errorf("the default is refused: %v", err)
		}
		if s.Name == request { // of one link only
			header = "[link.eth0]\n"
		}
		if _, err := Parse("f", header+s.example()); err != nil {
			t.Errorf("the example is refused: %v", err)
		}
		for _, w := range s.Words {
			if _, err := Parse("f", header+s.Name+" = "+s.Literal(one(w))); err != nil {
				t.Errorf("%s is refused: %v", w, err)
			}
		}
	}
}

const exampleFile = "../../../examples/lessee.toml"

func TestTheExampleNamesEverySettingWithItsDefault(t *testing.T) {
	b, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Load(exampleFile)
	if err != nil || len(f.defaults.given)+len(f.agent.given)+len(f.links) != 0 {
		t.Fatalf("as it is it should say nothing: %v", err)
	}
	// A setting is behind "#", words are behind "# ".
	text := regexp.MustCompile(`(?m)^#([a-z])`).ReplaceAllString(string(b), "$1")
	if f, err = Parse(exampleFile, text); err != nil {
		t.Fatal(err)
	}
	for _, s := range LinkSettings() {
		g, ok := f.defaults.given[s.Name]
		if !ok || s.Literal(g.words) != s.Literal(s.Default) {
			t.Errorf("%s: %q, want %q", s.Name, g.words, s.Default)
		}
	}
	for _, s := range AgentSettings() {
		g, ok := f.agent.given[s.Name]
		if !ok || s.Literal(g.words) != s.Literal(s.Default) {
			t.Errorf("%s: %q, want %q", s.Name, g.words, s.Default)
		}
	}
	if got, usual := linkOf(t, f, "eth0", nil), linkOf(t, new(File), "eth0", nil); !got.Equal(usual) {
		t.Errorf("%+v\nwant %+v", got, usual)
	}
	got, err := f.Agent(nil)
	usual, errUsual := new(File).Agent(nil)
	if err != nil || errUsual != nil || !got.Equal(usual) {
		t.Errorf("%+v\nwant %+v", got, usual)
	}
	// The tables of links that it shows are good, too.
	text = regexp.MustCompile(`(?m)^#\t`).ReplaceAllString(string(b), "")
	i := strings.Index(text, "[link.")
	if f, err = Parse(exampleFile, text[i:]); err != nil || len(f.links) != 3 {
		t.Errorf("%v", err)
	}
}

func TestPatternsAreOfOneNamespaceEach(t *testing.T) {
	for _, tc := range []struct {
		pattern string
		exact   bool
		yes, no []string
	}{
		{"eth0", true, []string{"eth0"}, []string{"eth1", "eth0@blue", "eth00"}},
		{"en*", false, []string{"en0", "en", "enp3s0"}, []string{"eth0", "en0@blue"}},
		{"*", false, []string{"x", "eth0.5"}, []string{"x@blue"}},
		{"*@*", false, []string{"x@blue"}, []string{"x"}},
		{"eth0@blue", true, []string{"eth0@blue"}, []string{"eth0", "eth0@red"}},
		{"eth[01]@b?ue", false, []string{"eth1@blue"}, []string{"eth2@blue", "eth1@bue"}},
	} {
		p, err := ParsePattern(tc.pattern)
		if err != nil || p.Exact() != tc.exact || p.String() != tc.pattern {
			t.Errorf("%s: %+v, exact %v, %v", tc.pattern, p, p.Exact(), err)
		}
		for _, link := range tc.yes {
			if !p.Match(link) {
				t.Errorf("%s does not name %s", tc.pattern, link)
			}
		}
		for _, link := range tc.no {
			if p.Match(link) {
				t.Errorf("%s names %s", tc.pattern, link)
			}
		}
	}
	for _, bad := range []string{"", "@", "a@", "@b", "a b", "a/b", "[a", `a\`, "a@[b", "..", strings.Repeat("x", 128)} {
		if p, err := ParsePattern(bad); err == nil {
			t.Errorf("%q is %+v", bad, p)
		}
	}
}

func TestTheNearestNameIsMeantIfItIsNear(t *testing.T) {
	known := names(slices.Concat(linkRows, agentRows), "")
	for name, want := range map[string]string{
		"metrc": "metric", "metrics": "metric", "mertic": "metric", "METRIC": "metric", "Resolv_Conf": "resolv-conf",
		"client-di": "client-id", "clientid": "client-id", "host-name": "hostname", "mtuu": "mtu", "carrier": "carrier-delay",
		"timeout": "", "m": "", "": "", "xyz": "", "dns": "", strings.Repeat("metric", 11): "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}} {
		if got := distance(tc.a, tc.b); got != tc.want {
			t.Errorf("%s and %s: %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}
