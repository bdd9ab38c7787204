package arrows

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// theSkip is the one place where a test may be skipped: nettest.Missing, which
// fails where CI is set.
const theSkip = "client/nettest/missing.go"

// skips are the places in a file where a test is skipped.
func skips(set *token.FileSet, f *ast.File) (out []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
			out = append(out, fmt.Sprintf("%v: %s: only nettest.Missing skips tests, and fails in CI", set.Position(call.Pos()), sel.Sel.Name))
		}
		return true
	})
	return out
}

func TestNothingIsSkippedInCI(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, p)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go") || filepath.ToSlash(rel) == theSkip:
			return nil
		}
		files++
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, p, nil, 0)
		if err != nil {
			return err
		}
		for _, complaint := range skips(set, f) {
			t.Error(complaint)
		}
		return nil
	})
	if err != nil || files < 300 {
		t.Fatalf("%d files, %v", files, err)
	}
	one := parse(t, "x", "package x\nfunc f(t T) { if true { t.Skipf(\"\") } }")
	if got := skips(one.set, one.file); len(got) != 1 {
		t.Errorf("a skip is not found: %q", got)
	}
}
