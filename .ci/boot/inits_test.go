package boot

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An initSystem is one that the examples serve: what starts lessee, how it is
// told to read its configuration again, and how to stop and to start it.
type initSystem struct {
	name     string
	programs []string
	files    map[string]string // example, by where it is installed
	table    string            // /etc/inittab, where that is no example
	init     []string
	reload   string
	stop     string
	start    string
	isSpoilt string // succeeds when it has given up on a bad configuration; "": it never does
}

var initSystems = []initSystem{{
	name:   "busybox",
	files:  map[string]string{"/etc/inittab": "busybox/inittab"},
	init:   []string{"/bin/init"},
	reload: "kill -HUP $(pidof lessee)",
	stop:   "kill $(pidof lessee)", // and it comes back
	start:  "true",
}, {
	name:   "rcS",
	files:  map[string]string{"/etc/init.d/S40lessee": "busybox/S40lessee"},
	table:  "::sysinit:/etc/init.d/S40lessee start\n",
	init:   []string{"/bin/init"},
	reload: "/etc/init.d/S40lessee reload",
	stop:   "/etc/init.d/S40lessee stop",
	start:  "/etc/init.d/S40lessee start",
}, {
	name:     "runit",
	programs: []string{"runsvdir", "runsv", "sv", "svlogd"},
	files:    map[string]string{"/etc/service/lessee": "runit/lessee"},
	init:     []string{"/usr/bin/runsvdir", "/etc/service"},
	reload:   "sv hup /etc/service/lessee",
	stop:     "sv -w 600 down /etc/service/lessee",
	start:    "sv -w 600 start /etc/service/lessee",
	isSpoilt: "sv status /etc/service/lessee | grep '^down'",
}, {
	name:     "s6",
	programs: []string{"s6-svscan", "s6-supervise", "s6-svc", "s6-svstat"},
	files:    map[string]string{"/etc/service/lessee": "s6/lessee"},
	init:     []string{"/usr/bin/s6-svscan", "/etc/service"},
	reload:   "s6-svc -h /etc/service/lessee",
	stop:     "s6-svc -wd -T 600000 -d /etc/service/lessee",
	start:    "s6-svc -u /etc/service/lessee",
	isSpoilt: "s6-svstat -o up /etc/service/lessee | grep false",
}}

// isHeld succeeds when lan0 has an address and a process to keep it.
const isHeld = `pidof lessee && ip -4 -o address show dev lan0 | grep 192.0.2.`

func TestTheExamplesOfInitSystemsWork(t *testing.T) {
	for _, s := range initSystems {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			vm := Start(t, Config{Image: s.image(t), Init: s.init, Modules: modules, Setup: network + serveFor(time.Hour)})
			vm.Until(isHeld)
			t.Logf("bound after %v", vm.Age())
			address := addressOf(vm)
			vm.Must(watch)
			vm.Must(addLan1 + s.reload)
			vm.Until("ip link show dev lan1 | grep -q UP")
			vm.Must("pidof lessee > /run/pid; kill -9 $(cat /run/pid)")
			if s.name != "rcS" { // which watches over nothing
				vm.Until("[ $(pidof lessee) != $(cat /run/pid) ]")
			}
			vm.Must(s.stop + "; " + s.start)
			vm.Until(isHeld)
			untouched(t, vm, address)
			if s.isSpoilt != "" {
				vm.Must("echo nonsense > /etc/lessee/lessee.toml; kill $(pidof lessee)")
				vm.Until(s.isSpoilt)
				untouched(t, vm, address)
			}
		})
	}
}

// image is a small system with that init system, and its example installed.
func (s *initSystem) image(t *testing.T) *Image {
	t.Helper()
	i := withLessee(NewImage())
	i.Programs(s.programs...)
	i.File("/etc/lessee/lessee.toml", 0o644, []byte(configuration))
	if s.table != "" {
		i.File("/etc/inittab", 0o644, []byte(s.table))
	}
	for to, from := range s.files {
		if err := filepath.Walk(examples+from, func(path string, info os.FileInfo, err error) error {
			if err != nil || info.IsDir() {
				return err
			}
			name, err := filepath.Rel(examples, path)
			if err != nil {
				return err
			}
			inside, err := filepath.Rel(from, name)
			i.File(filepath.Join(to, inside), info.Mode().Perm(), []byte(example(t, name)))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return i
}
