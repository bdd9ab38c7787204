package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/nettest"
)

// completes runs a script that is to complete words by what lessee says, and
// returns what it says.
func completes(t *testing.T, shell, script string, words ...string) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	wrapper := "#!/bin/sh\n" + asLessee + "=1 exec " + shellQuote(exe) + " \"$@\"\n"
	nettest.Executable(t, filepath.Join(dir, "lessee"), wrapper)
	cmd := exec.Command(nettest.Program(t, shell), append([]string{"-c", script}, words...)...)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir)
	cmd.Dir = "../../examples/completion"
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %q: %v\n%s", shell, words, err, stderr.String())
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i, line := range got {
		got[i], _, _ = strings.Cut(line, "\t") // from where on fish has a description
	}
	slices.Sort(got)
	return got
}

// bash and fish ask for completion as their users do who press the tabulator.
const (
	inBash = `source lessee.bash && COMP_WORDS=(lessee "$@") && COMP_CWORD=$# && $(complete -p lessee | sed 's/.*-F \([^ ]*\).*/\1/') lessee && printf '%s\n' "${COMPREPLY[@]}"`
	inFish = `source lessee.fish; complete -C "lessee $argv"`
)

func TestTheShellsCompleteWhatThereIs(t *testing.T) {
	entries, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Fatal(err)
	}
	var commands, links []string
	for _, e := range entries {
		links = append(links, e.Name())
	}
	for _, c := range newApp().Commands {
		commands = append(commands, c.Name)
	}
	for line, want := range map[string][]string{
		"":                            commands,
		"reb":                         {"rebind"},
		"acquire ":                    links,
		"acquire --dry-run ":          links,
		"status ":                     links,
		"config ":                     {"check", "show"},
		"config show ":                links,
		"config show --control-":      {"--control-group"},
		"help ":                       commands,
		"help config s":               {"show"},
		"acquire --reso":              {"--resolv-conf", "--resolver"},
		"acquire eth0 --format ":      {"env", "json", "text"},
		"acquire eth0 --probe r":      {"rfc5227"},
		"acquire --pcap lessee.f":     {"lessee.fish"},
		"acquire --hostname lessee.f": {""},
		"version ":                    {""},
		"gibberish ":                  {""},
	} {
		slices.Sort(want)
		words := strings.Split(line, " ")
		if got := completes(t, "bash", inBash, append([]string{"bash"}, words...)...); !slices.Equal(got, want) {
			t.Errorf("bash: %q: %q, want %q", line, got, want)
		}
		if got := completes(t, "fish", inFish, line); !slices.Equal(got, want) {
			t.Errorf("fish: %q: %q, want %q", line, got, want)
		}
	}
}

// What help prints is what there is.
func TestEveryFlagIsCompleted(t *testing.T) {
	acquire, _ := find(newApp(), []string{"acquire"})
	var want []string
	for _, f := range acquire.Flags {
		want = append(want, "--"+nameOf(f))
	}
	slices.Sort(want)
	if got := completes(t, "bash", inBash, "bash", "acquire", "--"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	cmd := exec.Command(nettest.Program(t, "shellcheck"), "../../examples/completion/lessee.bash")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
