package boot

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/nettest"
)

// exposure is what "systemd-analyze security" may say at most, times ten. A
// client that changes the network and is the owner of /etc does not get below.
var exposure = map[string]string{
	"lessee.service": "26", "lessee@eth0.service": "26",
	"lessee-wait-online.service": "11", "lessee-wait-online@eth0.service": "11",
}

// unitRoot is a root file system with systemd's own units and ours, so that
// they are judged as installed.
func unitRoot(t *testing.T) string {
	t.Helper()
	nettest.Program(t, "systemd-analyze")
	root := t.TempDir()
	for _, dir := range []string{"usr/sbin", "usr/bin", "etc/systemd/system"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for dir, target := range map[string]string{"lib": "usr/lib", "bin": "usr/bin"} {
		if err := os.Symlink(target, filepath.Join(root, dir)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(root, "usr/lib/systemd/system"), unitsOnly{os.DirFS("/usr/lib/systemd/system")}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"usr/sbin/lessee", "usr/bin/kill"} {
		nettest.Executable(t, filepath.Join(root, name), string(programs.lessee))
	}
	for _, name := range []string{"lessee.service", "lessee@.service", "lessee-wait-online.service", "lessee-wait-online@.service"} {
		install(t, root, name, example(t, "systemd/"+name))
	}
	return root
}

// unitsOnly is a folder without links, which point out of it, and folders.
type unitsOnly struct{ fs.FS }

func (u unitsOnly) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(u.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !e.Type().IsRegular() }), err
}

func install(t *testing.T, root, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, "etc/systemd/system", name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// verify returns systemd's complaints about a unit.
func verify(root, unit string) string {
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", "--root="+root, unit).CombinedOutput()
	if err != nil {
		return err.Error() + "\n" + string(out)
	}
	return string(out)
}

func TestSystemdHasNothingToSayAgainstTheUnits(t *testing.T) {
	root := unitRoot(t)
	for unit := range exposure {
		if complaints := verify(root, unit); complaints != "" {
			t.Errorf("%s: %s", unit, complaints)
		}
	}
	install(t, root, "lessee.service", strings.Replace(example(t, "systemd/lessee.service"), "WatchdogSec", "WatchDogSec", 1))
	if verify(root, "lessee.service") == "" {
		t.Error("a key that there is not, and no complaint")
	}
}

func TestTheUnitsFitWhatWaitsForTheNetworkEarly(t *testing.T) {
	root := unitRoot(t)
	early := "[Unit]\nDefaultDependencies=no\nWants=network-online.target lessee.service lessee-wait-online.service\nAfter=network-online.target\nBefore=sysinit.target\n[Service]\nExecStart=/usr/bin/kill\n"
	install(t, root, "early.service", early)
	install(t, root, "online.service", "[Unit]\nRequires=sysinit.target early.service\n[Service]\nExecStart=/usr/bin/kill\n")
	if complaints := verify(root, "online.service"); complaints != "" {
		t.Errorf("%s", complaints)
	}
	install(t, root, "lessee.service", strings.Replace(example(t, "systemd/lessee.service"), "DefaultDependencies=no\n", "", 1))
	if complaints := verify(root, "online.service"); !strings.Contains(complaints, "cycle") {
		t.Errorf("with the default dependencies there is no cycle: %q", complaints)
	}
}

func TestTheUnitsAreHardened(t *testing.T) {
	root := unitRoot(t)
	for unit, most := range exposure {
		out, err := exec.Command("systemd-analyze", "security", "--offline=yes", "--root="+root, "--threshold="+most, "--no-pager", unit).CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		t.Logf("%s: %s", unit, lines[len(lines)-1])
		if err != nil {
			t.Errorf("%s: %v", unit, err)
		}
	}
}

// shellScripts are the examples that a shell reads.
var shellScripts = []string{
	"openrc/lessee", "runit/lessee/run", "runit/lessee/check", "runit/lessee/finish", "runit/lessee/log/run",
	"s6/lessee/run", "s6/lessee/finish", "busybox/S40lessee",
}

func TestScriptsAreGoodShell(t *testing.T) {
	nettest.Program(t, "busybox")
	for _, name := range shellScripts {
		for _, shell := range [][]string{{"sh", "-n"}, {"busybox", "sh", "-n"}} {
			out, err := exec.Command(shell[0], append(shell[1:], examples+name)...).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%v %s: %v\n%s", shell, name, err, out)
			}
		}
		if info, err := os.Stat(examples + name); err != nil || info.Mode()&0o111 == 0 {
			t.Errorf("%s cannot be run: %v, %v", name, info, err)
		}
	}
}

func TestEveryExampleSaysHowToInstallIt(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(examples, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen++
		name, _ := filepath.Rel(examples, path)
		text := example(t, name)
		if strings.HasPrefix(text, "#!") {
			if _, rest, _ := strings.Cut(text, "\n"); !slices.Contains(shellScripts, name) {
				t.Errorf("%s is not checked by a shell", name)
			} else {
				text = rest
			}
		}
		if header := strings.SplitN(text, "\n", 4); !strings.HasPrefix(text, "# Install: ") || len(header) < 4 || !strings.HasPrefix(header[2], "# ") {
			t.Errorf("%s: no header of three lines", name)
		}
		return nil
	})
	if err != nil || seen < 15 {
		t.Errorf("%d files, %v", seen, err)
	}
}
