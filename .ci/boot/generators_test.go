package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/nettest"
)

// bootExamples are the examples that go into an initramfs.
const bootExamples = "../../examples/"

// place puts a file where a test's generator of initramfs finds it.
func place(t *testing.T, path string, perm os.FileMode, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, perm); err != nil {
		t.Fatal(err)
	}
}

// placeExample puts an example there, as its README says.
func placeExample(t *testing.T, path, name string) {
	t.Helper()
	text, err := os.ReadFile(bootExamples + name)
	if err != nil {
		t.Fatal(err)
	}
	place(t, path, 0o755, text)
}

// generate runs a generator, which writes the initramfs that it returns.
func generate(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	nettest.Program(t, name)
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), append(env, "TMPDIR="+t.TempDir())...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return args[len(args)-2]
}

// release is that of the kernel that guests have.
func release(t *testing.T) string {
	t.Helper()
	k, err := FindKernel()
	if err != nil {
		nettest.Missing(t, "%v", err)
	}
	return k.Release
}

func TestInitramfsToolsAndItsScriptsGetLesseeForIpconfig(t *testing.T) {
	t.Parallel()
	version, dir := release(t), t.TempDir()
	conf := filepath.Join(dir, "conf")
	place(t, conf+"/initramfs.conf", 0o644, []byte("MODULES=list\nBUSYBOX=y\nCOMPRESS=gzip\nCOMPRESSLEVEL=1\nDEVICE=\nNFSROOT=auto\nKEYMAP=n\nRUNSIZE=10%\nFSTYPE=auto\nRESUME=none\n"))
	place(t, conf+"/modules", 0o644, []byte("virtio_pci\nvirtio_net\n"))
	place(t, dir+"/lessee", 0o755, programs.lessee)
	place(t, conf+"/conf.d/lessee", 0o644, []byte("export LESSEE="+dir+"/lessee\n"))
	place(t, conf+"/scripts/none", 0o644, nil)
	placeExample(t, conf+"/hooks/lessee", "initramfs-tools/hooks/lessee")
	placeExample(t, conf+"/lessee/ipconfig", "initramfs-tools/ipconfig")
	vm := Start(t, Config{
		Base: generate(t, nil, "mkinitramfs", "-d", conf, "-o", dir+"/initrd", version), Image: Nothing(),
		QEMU: cards(1), Init: []string{"/init"}, Cmdline: "ip=dhcp boot=nfs root=/dev/nfs nfsroot=10.0.2.2:/none net.ifnames=0",
	})
	vm.Until("ls /run/net-eth0.conf")
	t.Logf("configured after %v", vm.Age())
	isOn(vm, "eth0", "10.0.2")
	if !strings.Contains(vm.Console(), "lessee: eth0 has 10.0.2.15 from 10.0.2.2") {
		t.Errorf("by whom?\n%s", vm.Console())
	}

	// The file is what klibc's own program writes for the same answers.
	differs := vm.Must(`
		grep -v UPTIME /run/net-eth0.conf > /run/ours
		/bin/ipconfig -t 10 -c dhcp -d eth0 > /run/theirs 2>&1
		grep -v UPTIME /run/net-eth0.conf > /run/theirs
		diff /run/ours /run/theirs || true`)
	if differs != "" {
		t.Errorf("ours and klibc's:\n%s", differs)
	}
	// And what is not DHCP is its work.
	vm.Must("ipconfig -t 5 -d 10.0.2.99::10.0.2.2:255.255.255.0:name:eth0:off")
	if got := vm.Must(". /run/net-eth0.conf; echo $IPV4ADDR $HOSTNAME"); got != "10.0.2.99 name" {
		t.Errorf("a static address: %s", got)
	}
}

func TestDracutGetsLesseeForTheNetwork(t *testing.T) {
	t.Parallel()
	version, dir := release(t), t.TempDir()
	base := filepath.Join(dir, "dracut")
	if out, err := exec.Command("cp", "-a", "/usr/lib/dracut", base).CombinedOutput(); err != nil {
		nettest.Program(t, "dracut")
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"module-setup.sh", "lessee-wait.sh", "lessee-boot.sh"} {
		placeExample(t, base+"/modules.d/40lessee/"+name, "dracut/40lessee/"+name)
	}
	place(t, dir+"/none/none", 0o644, nil)
	place(t, dir+"/lessee", 0o755, programs.lessee)
	vm := Start(t, Config{
		Base: generate(t, []string{"dracutbasedir=" + base, "LESSEE=" + dir + "/lessee"}, "dracut",
			"--force", "--no-hostonly", "--no-compress", "--kver", version, "--conf", "/dev/null", "--confdir", dir+"/none",
			"--modules", "dash base udev-rules rootfs-block busybox lessee", "--drivers", "virtio_pci virtio_net", "--nostrip", dir+"/initrd", version),
		Image: Nothing(), QEMU: cards(1), Init: []string{"/init"}, Cmdline: "ip=dhcp root=LABEL=none net.ifnames=0",
	})
	vm.Until("ls /run/lessee/booted")
	t.Logf("configured after %v", vm.Age())
	isOn(vm, "eth0", "10.0.2")
	if strings.Contains(vm.Console(), "no network yet") {
		t.Error(vm.Console())
	}
}

func TestTheScriptsForInitramfsAreGoodShell(t *testing.T) {
	nettest.Program(t, "shellcheck")
	nettest.Program(t, "busybox")
	for _, name := range []string{
		"initramfs-tools/hooks/lessee", "initramfs-tools/ipconfig",
		"dracut/40lessee/module-setup.sh", "dracut/40lessee/lessee-wait.sh", "dracut/40lessee/lessee-boot.sh",
	} {
		for _, judge := range [][]string{{"sh", "-n"}, {"busybox", "sh", "-n"}, {"shellcheck", "--exclude=SC1091"}} { // 1091: what is read is elsewhere
			out, err := exec.Command(judge[0], append(judge[1:], bootExamples+name)...).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%v %s: %v\n%s", judge, name, err, out)
			}
		}
		text, err := os.ReadFile(bootExamples + name)
		if header := strings.SplitN(string(text), "\n", 3); err != nil || !strings.HasPrefix(header[1], "# Install: ") {
			t.Errorf("%s: it does not say how to install it", name)
		}
	}
}
