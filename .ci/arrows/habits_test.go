package arrows

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A habit is something that tests do in one place only, which does it right.
type habit struct {
	place  string // the file that may
	reason string
	is     func(name string, args []ast.Expr) bool // a call of what has this name
}

// skips are the methods of a test that skip it.
var skips = []string{"Skip", "Skipf", "SkipNow"}

var habits = []habit{
	{"client/nettest/missing.go", "only nettest.Missing skips tests, and fails in CI", func(name string, _ []ast.Expr) bool {
		return slices.Contains(skips, name)
	}},
	{"client/nettest/executable.go", "only nettest.Executable writes files that can be run, while nobody forks", func(name string, args []ast.Expr) bool {
		if name != "WriteFile" || len(args) != 3 {
			return false
		}
		lit, ok := args[2].(*ast.BasicLit)
		if !ok {
			return false
		}
		mode, err := strconv.ParseUint(lit.Value, 0, 32)
		return err == nil && mode&0o111 != 0
	}},
}

// complaints tell of the calls in a file that belong to other places.
func complaints(set *token.FileSet, f *ast.File, file string) (out []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		for _, h := range habits {
			if h.place != file && h.is(sel.Sel.Name, call.Args) {
				out = append(out, fmt.Sprintf("%v: %s: %s", set.Position(call.Pos()), sel.Sel.Name, h.reason))
			}
		}
		return true
	})
	return out
}

func TestWhatIsDoneInOnePlaceOnly(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, p)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go"):
			return nil
		}
		files++
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, p, nil, 0)
		if err != nil {
			return err
		}
		for _, complaint := range complaints(set, f, filepath.ToSlash(rel)) {
			t.Error(complaint)
		}
		return nil
	})
	if err != nil || files < 300 {
		t.Fatalf("%d files, %v", files, err)
	}
	cases := map[string]int{
		"func f() error { return os.WriteFile(\"x\", nil, 0o755) }": 1,
		"func f() error { return os.WriteFile(\"x\", nil, 0o644) }": 0,
	}
	for _, name := range skips {
		cases["func f(t T) { if true { t."+name+"() } }"] = 1
	}
	for text, want := range cases {
		one := parse(t, "x", "package x\n"+text)
		if got := complaints(one.set, one.file, "x.go"); len(got) != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}
