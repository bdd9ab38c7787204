package resolvtest

import (
	"errors"
	"os"
	"path/filepath"
)

// Resolvconf puts the resolvconf of a package, "openresolv" or "resolvconf", on
// the host, and lets it manage resolv.conf with something of an operator's in
// it.
func (h *Host) Resolvconf(pkg string) {
	h.t.Helper()
	dir := h.unpacked(pkg)
	for _, place := range []string{"/sbin", "/lib"} {
		real, err := filepath.EvalSymlinks(place)
		h.must(err)
		h.Overlay(real, dir+place)
	}
	h.Run("cp", "-a", dir+"/etc/.", "/etc/")
	if pkg == "resolvconf" { // as its postinst and its service do
		h.must(errors.Join(os.MkdirAll("/run/resolvconf/interface", 0o755), os.Remove("/etc/resolv.conf"),
			os.Symlink("../run/resolvconf/resolv.conf", "/etc/resolv.conf")))
		h.Run("resolvconf", "--enable-updates")
		h.Run("resolvconf", "-u")
	}
	h.Run("sh", "-c", "printf 'nameserver 203.0.113.53\nsearch corp.example\n' | resolvconf -a lan9.operator")
}
