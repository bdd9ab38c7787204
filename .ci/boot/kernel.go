package boot

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A Kernel is a kernel that is installed on this machine.
type Kernel struct {
	Image   string // the file to boot
	Release string // as uname -r has it
	modules string // the folder
	needs   map[string][]string
}

// kernelPackage is the kernel for virtual machines; it depends on the newest.
const kernelPackage = "linux-image-cloud-amd64"

// FindKernel returns Debian's kernel for virtual machines.
func FindKernel() (*Kernel, error) {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Depends}", kernelPackage).Output()
	newest, ok := strings.CutPrefix(string(out), "linux-image-")
	if !ok {
		return nil, fmt.Errorf("no kernel to boot: package %s: %w (dpkg-query: %v)", kernelPackage, fs.ErrNotExist, err)
	}
	release, _, _ := strings.Cut(newest, " ")
	k := &Kernel{Image: "/boot/vmlinuz-" + release, Release: release, modules: "/lib/modules/" + release}
	dep, err := os.ReadFile(filepath.Join(k.modules, "modules.dep"))
	if err != nil {
		return nil, err
	}
	k.needs = parseDependencies(dep)
	return k, nil
}

// parseDependencies reads modules.dep(5): each line has a module's file and the
// files it needs, the last of which is to be loaded first.
func parseDependencies(text []byte) map[string][]string {
	needs := map[string][]string{}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		file, others, ok := strings.Cut(s.Text(), ":")
		if ok {
			needs[file] = strings.Fields(others)
		}
	}
	return needs
}

// Load returns the files of modules and of all that they need, in the order in
// which they are to be loaded. What is built in needs no file.
func (k *Kernel) Load(names ...string) ([]string, error) {
	builtin, err := os.ReadFile(filepath.Join(k.modules, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range names {
		if bytes.Contains(builtin, []byte("/"+name+".ko\n")) {
			continue
		}
		file, ok := k.find(name)
		if !ok {
			return nil, fmt.Errorf("%s has no module %s", k.Image, name)
		}
		needs := slices.Clone(k.needs[file])
		slices.Reverse(needs)
		for _, f := range append(needs, file) {
			if f = filepath.Join(k.modules, f); !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	return files, nil
}

func (k *Kernel) find(name string) (string, bool) {
	for file := range k.needs {
		if base := path.Base(file); base[:strings.Index(base+".ko", ".ko")] == name {
			return file, true
		}
	}
	return "", false
}
