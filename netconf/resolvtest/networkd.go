package resolvtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// Networkd starts a systemd-networkd that has a file of its own about one link,
// with these sections, and waits until it has dealt with that. Called again, it
// gives the one that runs another file. Resolved comes first.
func (h *Host) Networkd(link, sections string) {
	h.t.Helper()
	const dir = "/run/systemd/network"
	text := "[Match]\nName=" + link + "\n" + sections
	h.must(errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(dir+"/10-"+link+".network", []byte(text), 0o644)))
	ifi, err := h.Interface(link)
	h.must(err)
	state := fmt.Sprintf("/run/systemd/netif/links/%d", ifi.Index)
	if _, err := os.Stat(state); err == nil {
		h.Run("networkctl", "reload")
	} else {
		// It waits for udev to know a link, unless /sys cannot be written to.
		h.must(h.Do(func() error { return unix.Mount("sysfs", "/sys", "sysfs", unix.MS_RDONLY, "") }))
		h.t.Cleanup(func() { h.must(unix.Unmount("/sys", unix.MNT_DETACH)) })
		h.Machine.Run(exec.Command("/lib/systemd/systemd-networkd"))
	}
	want := "ADMIN_STATE=configured\n"
	if strings.Contains(sections, "Unmanaged=yes") {
		want = "ADMIN_STATE=unmanaged\n"
	}
	h.Await("systemd-networkd", func() error {
		text, err := os.ReadFile(state)
		if err == nil && !strings.Contains(string(text), want) {
			err = fmt.Errorf("no %q in %s", want, text)
		}
		return err
	})
}
