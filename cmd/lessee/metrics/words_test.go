package metrics

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/socket"
)

// declared returns the names that a package declares and pick wants, and what
// they are set to if that is a text.
func declared(t *testing.T, dir string, pick func(name string, spec *ast.ValueSpec) bool) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	out := map[string]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != 1 || !pick(spec.Names[0].Name, spec) {
				return true
			}
			text := ""
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				text, _ = strconv.Unquote(lit.Value)
			}
			out[spec.Names[0].Name] = text
			return true
		})
	}
	return out
}

func ofType(name string) func(string, *ast.ValueSpec) bool {
	return func(_ string, spec *ast.ValueSpec) bool {
		id, ok := spec.Type.(*ast.Ident)
		return ok && id.Name == name
	}
}

func TestEveryReasonOfTheMachineHasItsWord(t *testing.T) {
	reasons := declared(t, "../../../client/machine", ofType("Reason"))
	if len(reasons) < 12 {
		t.Fatalf("%d reasons", len(reasons))
	}
	for name, text := range reasons {
		if !slices.Contains(dropReasons, text) {
			t.Errorf("machine.%s is counted as %q", name, dropReasons[dropReasons.index(text)])
		}
	}
	if len(dropReasons) != len(reasons)+1 {
		t.Errorf("%d words for %d reasons", len(dropReasons), len(reasons))
	}
}

// silent are the causes that no counter is for: the usual course of things, or
// what is counted as a message.
var silent = []string{
	"CauseStarted", "CauseSent", "CauseChosen", "CauseSurveyed", "CauseGranted", "CauseUnchecked", "CauseFree",
	"CauseConfigured", "CauseInformed", "CauseRenewalDue", "CauseRebindingDue", "CauseReleased", "CauseStopped",
	"CauseLinkUp", "CausePaused", "CauseResumed", "CauseNotPossible", "CauseNote",
}

func TestEveryCauseIsCountedOrLeftOutOnPurpose(t *testing.T) {
	for name, text := range declared(t, "../../../client/machine", ofType("Cause")) {
		_, counted := counterOf(machine.Report{From: machine.Renewing, To: machine.Bound, Cause: machine.Cause(text)})
		if left := slices.Contains(silent, name); counted == left {
			t.Errorf("machine.%s: counted: %v, left out: %v", name, counted, left)
		}
	}
}

func TestEveryReasonOfAFrameHasItsWord(t *testing.T) {
	known := map[string]error{
		"socket.ErrLength": socket.ErrLength, "socket.ErrIPChecksum": socket.ErrIPChecksum, "socket.ErrUDPChecksum": socket.ErrUDPChecksum,
		"socket.ErrNotOurs": socket.ErrNotOurs, "socket.ErrNotReply": socket.ErrNotReply,
		"dhcp4.ErrShort": dhcp4.ErrShort, "dhcp4.ErrOp": dhcp4.ErrOp, "dhcp4.ErrHLen": dhcp4.ErrHLen,
		"dhcp4.ErrCookie": dhcp4.ErrCookie, "dhcp4.ErrNoType": dhcp4.ErrNoType, "dhcp4.ErrEssential": dhcp4.ErrEssential,
	}
	elsewhere := map[string]bool{"dhcp4.ErrUnset": true, "socket.ErrNoLink": true} // not about frames
	words := map[string]bool{}
	for name, err := range known {
		word := FrameReason(&socket.DropError{Reason: fmt.Errorf("as it came: %w", err)})
		if word == other || words[word] {
			t.Errorf("%s is counted as %q", name, word)
		}
		words[word] = true
	}
	errs := func(name string, _ *ast.ValueSpec) bool { return strings.HasPrefix(name, "Err") }
	for _, pkg := range []string{"socket", "dhcp4"} {
		for name := range declared(t, "../../../client/"+pkg, errs) {
			if full := pkg + "." + name; known[full] == nil && !elsewhere[full] {
				t.Errorf("%s is not known here", full)
			}
		}
	}
}

func TestEveryStateOfTheMachineIsShown(t *testing.T) {
	n := 0
	for s := machine.Idle; s.String() != "INVALID"; s++ {
		n++
		if !slices.Contains(states, s.String()) {
			t.Errorf("%v is missing", s)
		}
	}
	if len(states) != n+3 {
		t.Errorf("%d states, the machine has %d and the agent 3", len(states), n)
	}
}
