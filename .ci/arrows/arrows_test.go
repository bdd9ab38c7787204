// Package arrows holds the source to what was decided about it: who may import
// whom, that the machine is pure, what lies at the top, and that everything
// public is documented.
package arrows

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/lessee/lessee/"
)

// impure is what pure packages do not import.
var impure = []string{"net", "net/http", "os", "os/exec", "os/signal", "io/fs", "syscall", "log", "log/slog", "context", "sync", "runtime", "testing", "unsafe"}

// A rule says what the packages below a folder may import, beside the standard
// library.
type rule struct {
	folder string
	may    []string // of this module, or others; a trailing / is everything below
	pure   bool     // and of the standard library nothing that does I/O
}

var rules = []rule{ // the first that fits counts
	{"client/dhcp4", nil, true},
	{"client/lease", []string{module + "client/dhcp4"}, true},
	{"client/machine", []string{module + "client/dhcp4", module + "client/lease"}, true},
	{"client/readable", []string{"golang.org/x/sys/unix"}, false},
	{"client/socket", []string{module + "client/dhcp4", module + "client/readable", "github.com/mdlayher/packet", "golang.org/x/net/bpf", "golang.org/x/sys/unix"}, false},
	{"client/store", []string{module + "client/dhcp4", module + "client/lease", "github.com/google/renameio/v2", "golang.org/x/sys/unix"}, false},
	{"client/dhcptest", []string{module + "client/dhcp4", "github.com/mdlayher/", "golang.org/x/"}, false},
	{"client/nettest", []string{module + "client/dhcp4", "github.com/mdlayher/packet", "github.com/vishvananda/", "golang.org/x/sys/unix"}, false},
	{"client", []string{module + "client/dhcp4", module + "client/lease", module + "client/machine", "golang.org/x/sys/unix"}, false},
	{"arpcheck", []string{module + "client/readable", "github.com/mdlayher/packet", "github.com/mdlayher/arp", "golang.org/x/net/bpf", "golang.org/x/sys/unix"}, false},
	{"netconf/atomicfile", []string{"golang.org/x/sys/unix"}, false},
	{"netconf/program", nil, false},
	{"netconf/system", []string{module + "netconf/atomicfile", module + "netconf/program", "golang.org/x/sys/unix"}, false},
	{"netconf/dbus", nil, false},
	{"netconf/resolvtest", []string{module + "client/nettest", "golang.org/x/sys/unix"}, false},
	{"netconf/resolv", []string{module + "netconf/atomicfile", module + "netconf/dbus", module + "netconf/program", "github.com/google/renameio/v2", "golang.org/x/sys/unix"}, false},
	{"netconf/hook", []string{module + "client/dhcp4", module + "client/lease", module + "netconf/atomicfile", "golang.org/x/sys/unix"}, false},
	{"netconf", []string{module + "client/dhcp4", module + "client/lease", module + "netconf/atomicfile", module + "netconf/resolv", module + "netconf/system", "github.com/google/renameio/v2", "github.com/vishvananda/netlink", "github.com/vishvananda/netlink/nl", "golang.org/x/sys/unix"}, false},
	{"cmd/lessee/agent", []string{module + "client", module + "client/dhcp4", module + "client/lease", module + "client/machine"}, false},
	{"cmd/lessee/config", []string{module + "arpcheck", module + "client/dhcp4", module + "client/lease", module + "client/machine", module + "netconf", module + "netconf/hook", "github.com/BurntSushi/toml", "golang.org/x/sys/unix"}, false},
	{"cmd/lessee/control", []string{module + "client", module + "client/lease", module + "cmd/lessee/agent", "github.com/varlink/go/varlink", "golang.org/x/sys/unix"}, false},
	{"cmd/lessee/kernelargs", nil, true},
	{"cmd/lessee/klibc", []string{module + "client/dhcp4", module + "client/lease", "github.com/google/renameio/v2"}, false},
	{"cmd/lessee/metrics", []string{module + "client", module + "client/dhcp4", module + "client/machine", module + "client/socket", module + "cmd/lessee/agent", "github.com/google/renameio/v2"}, false},
	{"cmd/lessee/supervise", []string{"github.com/coreos/go-systemd/v22/daemon", "golang.org/x/sys/unix"}, false},
	{"cmd/lessee/view", []string{module + "client", module + "client/dhcp4", module + "client/lease", module + "client/machine", module + "cmd/lessee/agent"}, false},
	{"cmd/lessee", []string{module, "github.com/urfave/cli/v2", "golang.org/x/sys/unix"}, false},
	{"examples", []string{module}, false},
}

// onlyIn names files that alone may import what is easily spread.
var onlyIn = map[string][]string{
	"netconf\x00github.com/vishvananda/netlink":       {"netlink_linux.go", "route_linux.go", "rule_linux.go", "sysctl_linux.go", "watch_linux.go"},
	"cmd/lessee/config\x00github.com/BurntSushi/toml": {"load.go", "scan.go"},
}

// A source is one file of a package.
type source struct {
	folder, name string
	file         *ast.File
	set          *token.FileSet
}

// sources reads all files of the module that are not tests.
func sources(t *testing.T) (out []source) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, p)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, p, nil, parser.ParseComments)
		out = append(out, source{path.Dir(filepath.ToSlash(rel)), d.Name(), f, set})
		return err
	})
	if err != nil || len(out) < 50 {
		t.Fatalf("%d files, %v", len(out), err)
	}
	return out
}

// parse makes a source out of text, for showing that a check can fail.
func parse(t *testing.T, folder, text string) source {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "x.go", text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return source{folder, "x.go", f, set}
}

func TestArrows(t *testing.T) {
	for _, s := range sources(t) {
		for _, complaint := range arrows(s) {
			t.Error(complaint)
		}
	}
}

func TestTheMachineIsPure(t *testing.T) {
	for _, s := range sources(t) {
		if s.folder == "client/machine" {
			for _, complaint := range impurities(s) {
				t.Error(complaint)
			}
		}
	}
}

func TestEverythingPublicIsDocumented(t *testing.T) {
	for _, s := range sources(t) {
		for _, complaint := range undocumented(s) {
			t.Error(complaint)
		}
	}
}

func TestTopLevel(t *testing.T) {
	allowed := []string{"cmd", "client", "arpcheck", "netconf", "examples", "go.mod", "go.sum", "LICENSE", "README.md"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s at the top level", e.Name())
		}
	}
}

func TestTheChecksCanFail(t *testing.T) {
	for _, tc := range []struct {
		name  string
		check func(source) []string
		src   source
	}{
		{"client imports netconf", arrows, parse(t, "client", `package client; import _ "github.com/lessee/lessee/netconf"`)},
		{"netconf imports client", arrows, parse(t, "netconf", `package netconf; import _ "github.com/lessee/lessee/client"`)},
		{"dhcp4 imports net", arrows, parse(t, "client/dhcp4", `package dhcp4; import _ "net"`)},
		{"netlink spreads", arrows, parse(t, "netconf", `package netconf; import _ "github.com/vishvananda/netlink"`)},
		{"the agent opens sockets", arrows, parse(t, "cmd/lessee/agent", `package agent; import _ "github.com/lessee/lessee/client/socket"`)},
		{"a goroutine", impurities, parse(t, "client/machine", `package machine; func f() { go f() }`)},
		{"the clock", impurities, parse(t, "client/machine", `package machine; import "time"; var now = time.Now()`)},
		{"a channel", impurities, parse(t, "client/machine", `package machine; func f(c chan int) { c <- 1 }`)},
		{"no comment", undocumented, parse(t, "client", `package client; func F() {}`)},
	} {
		if len(tc.check(tc.src)) == 0 {
			t.Errorf("%s: nobody complains", tc.name)
		}
	}
}

// arrows complains about imports.
func arrows(s source) (out []string) {
	i := slices.IndexFunc(rules, func(r rule) bool { return s.folder == r.folder || strings.HasPrefix(s.folder, r.folder+"/") })
	if i < 0 {
		return []string{s.folder + ": no rule for this package"}
	}
	r := rules[i]
	for _, spec := range s.file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		first, _, _ := strings.Cut(name, "/")
		standard := !strings.Contains(first, ".")
		fits := func(may string) bool {
			return name == may || strings.HasSuffix(may, "/") && strings.HasPrefix(name, may)
		}
		switch files, guarded := onlyIn[s.folder+"\x00"+name]; {
		case standard && r.pure && slices.Contains(impure, name):
			out = append(out, fmt.Sprintf("%s/%s is pure and imports %s", s.folder, s.name, name))
		case !standard && !slices.ContainsFunc(r.may, fits):
			out = append(out, fmt.Sprintf("%s/%s imports %s", s.folder, s.name, name))
		case guarded && !slices.Contains(files, s.name):
			out = append(out, fmt.Sprintf("%s/%s imports %s; only %v may", s.folder, s.name, name, files))
		}
	}
	return out
}

// clocks are the functions of package time that read one or wait for one.
var clocks = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"}

// impurities complains about goroutines, channels, and clocks.
func impurities(s source) (out []string) {
	complain := func(n ast.Node, what string) {
		out = append(out, fmt.Sprintf("%s/%s:%d: %s", s.folder, s.name, s.set.Position(n.Pos()).Line, what))
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			complain(n, "a goroutine")
		case *ast.SendStmt, *ast.SelectStmt, *ast.ChanType:
			complain(n, "a channel")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
				complain(n, "time."+n.Sel.Name)
			}
		}
		return true
	})
	return out
}

// undocumented complains about public names without a comment. A group of
// constants or variables may share one; so may lines with a comment at their
// end.
func undocumented(s source) (out []string) {
	if s.file.Name.Name == "main" {
		return nil
	}
	complain := func(name *ast.Ident) {
		if name.IsExported() {
			out = append(out, fmt.Sprintf("%s/%s: %s has no comment", s.folder, s.name, name.Name))
		}
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && publicReceiver(d) {
				complain(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
						complain(spec.Name)
					}
				case *ast.ValueSpec:
					if d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
						for _, n := range spec.Names {
							complain(n)
						}
					}
				}
			}
		}
	}
	return out
}

// publicReceiver reports whether a function is to be seen from outside at all.
func publicReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	public := false
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.IsExported() {
			public = true
		}
		return true
	})
	return public
}
