package boot

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/nettest"
)

func TestALeaseUnderSystemd(t *testing.T) {
	t.Parallel()
	vm := Start(t, Config{Image: withLessee(Systemd()), Modules: modules, Setup: network})
	vm.Until("systemctl is-active multi-user.target")
	t.Logf("booted in %v", vm.Age())
	if failed := vm.Must("systemctl --no-legend --failed"); failed != "" {
		t.Errorf("units that failed: %s", failed)
	}
	vm.Must(`ip netns exec server dnsmasq --conf-file=/dev/null --user=root --port=0 --interface=lan0 --no-ping --dhcp-authoritative \
		--dhcp-leasefile=/run/leases --pid-file=/run/dnsmasq.pid --dhcp-range=192.0.2.100,192.0.2.120,255.255.255.0,600`)
	vm.Must("lessee acquire lan0")
	if got := vm.Must("ip -4 -o address show dev lan0"); !strings.Contains(got, "inet 192.0.2.1") {
		t.Errorf("lan0: %s", got)
	}
	vm.Must("ping -c 1 -w 60 192.0.2.1")
}

func TestAScriptsOutputAndExitCodeComeBack(t *testing.T) {
	t.Parallel()
	vm := Start(t, Config{Image: NewImage(), Setup: "echo setup > /run/setup",
		Init: []string{"/bin/sh", "-c", "echo $0 > /run/init.said; exec sleep 1000", "init's argument"}, Cmdline: "unknown words"})
	long := strings.Repeat("0123456789abcdef\n", 1<<12)
	for _, tc := range []struct {
		script, out string
		code        int
	}{
		{"cat /run/setup", "setup\n", 0},
		{"until cat /run/init.said; do sleep 0.1; done 2> /run/null", "init's argument\n", 0},
		{"", "", 0},
		{"exit 7", "", 7},
		{"printf 'a\\0b'; echo c >&2", "a\x00bc\n", 0},
		{"x='two  words'; echo \"$x\" | sed 's/w/v/g'", "tvo  vords\n", 0},
		{"cat", "", 0}, // no input
		{"i=0; while [ $i -lt 4096 ]; do echo 0123456789abcdef; i=$((i + 1)); done", long, 0},
		{"# " + strings.Repeat("x", 8000) + "\necho end", "end\n", 0},
		{"kill -9 $$", "Killed\n", 137},
	} {
		if out, code := vm.Run(tc.script); out != tc.out || code != tc.code {
			t.Errorf("%.40q: %.40q, exit %d, want %.40q, exit %d", tc.script, out, code, tc.out, tc.code)
		}
	}
}

func TestAGuestThatPanicsEnds(t *testing.T) {
	t.Parallel()
	vm := Start(t, Config{Image: NewImage(), Init: []string{"/bin/busybox", "sh", "-c", "until [ -e /run/end ]; do sleep 0.1; done"}})
	_, _, _ = vm.shell.run("touch /run/end") // it may end before it answers
	<-vm.ended
	if _, _, err := vm.shell.run("true"); err == nil {
		t.Error("an answer from a dead guest")
	}
	if !strings.Contains(vm.Console(), "Attempted to kill init") {
		t.Errorf("console: %s", vm.Console())
	}
}

func TestAGuestReachesQEMUsNetwork(t *testing.T) {
	t.Parallel()
	vm := Start(t, Config{
		Image:   NewImage(),
		Modules: []string{"virtio_net", "virtio_pci"},
		QEMU:    []string{"-nic", "user,model=virtio-net-pci,restrict=on"},
		Init:    []string{"/bin/busybox", "sleep", "1000"},
	})
	vm.Must("ip link set eth0 up && ip address add 10.0.2.15/24 dev eth0 && arping -c 1 -w 60 -I eth0 10.0.2.2")
}

func TestAnImageIsAnArchive(t *testing.T) {
	nettest.Program(t, "busybox")
	i := NewImage()
	i.File("/bin/a", 0o755, []byte("text\n"))
	i.File("/etc/deep/in/folders", 0o600, nil)
	i.Link("/usr/bin/b", "a")
	var b strings.Builder
	if err := i.Write(&b); err != nil {
		t.Fatal(err)
	}
	// The reader is not ours.
	list := exec.Command("busybox", "cpio", "-t", "-v")
	list.Stdin = strings.NewReader(b.String())
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"-rwxr-xr-x", " usr/bin/a\n", "-rw-------", " etc/deep/in/folders\n", "usr/bin/b -> a\n", "bin -> usr/bin\n", "drwxrwxrwx"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Index(string(out), " etc/deep\n") > strings.Index(string(out), " etc/deep/in/folders\n") {
		t.Errorf("a folder after what is in it:\n%s", out)
	}
}

func TestWhatIsNotThereIsAnError(t *testing.T) {
	for name, add := range map[string]func(*Image){
		"a file":    func(i *Image) { i.Host("/no/such/file") },
		"a program": func(i *Image) { i.Programs("no-such-program") },
		"a device":  func(i *Image) { i.Host("/dev/null") },
	} {
		i := NewImage()
		add(i)
		if err := i.Write(&strings.Builder{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestModulesAreLoadedAfterWhatTheyNeed(t *testing.T) {
	needs := parseDependencies([]byte("a.ko: b.ko c.ko\nb.ko: c.ko\nc.ko:\n"))
	if got := strings.Join(needs["a.ko"], " "); got != "b.ko c.ko" || len(needs) != 3 {
		t.Fatalf("%v", needs)
	}
	k := &Kernel{modules: t.TempDir(), needs: needs}
	if err := exec.Command("touch", k.modules+"/modules.builtin").Run(); err != nil {
		t.Fatal(err)
	}
	got, err := k.Load("a", "b")
	if want := k.modules + "/c.ko " + k.modules + "/b.ko " + k.modules + "/a.ko"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("%v, %v, want %s", got, err, want)
	}
	if _, err := k.Load("d"); err == nil {
		t.Error("a module that nobody has")
	}
}

func TestAnswersToOtherQuestionsAreRefused(t *testing.T) {
	for _, line := range []string{"", "1\n", "2 0 eA==\n", "1 x eA==\n", "1 0 %\n", "1 0 eA== eA==\n", "ready\n"} {
		if out, code, err := parseAnswer(line, 1); err == nil {
			t.Errorf("%q: %q, %d", line, out, code)
		}
	}
	if out, code, err := parseAnswer("1 3 eA==\r\n", 1); out != "x" || code != 3 || err != nil {
		t.Errorf("%q, %d, %v", out, code, err)
	}
}
