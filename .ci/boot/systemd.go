package boot

import "path"

// units is what of systemd's own units a small system has. Others are wanted by
// these and not there, which is no error.
var units = []string{
	"basic.target", "sysinit.target", "multi-user.target", "local-fs.target", "local-fs-pre.target", "paths.target", "slices.target",
	"sockets.target", "swap.target", "timers.target", "network-pre.target", "network.target", "network-online.target",
	"shutdown.target", "umount.target", "final.target", "reboot.target", "poweroff.target", "emergency.target", "rescue.target",
	"systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket",
	"systemd-reboot.service", "systemd-poweroff.service", "sysinit.target.wants/systemd-journald.service",
	"sockets.target.wants/systemd-journald.socket", "sockets.target.wants/systemd-journald-dev-log.socket",
}

// Systemd returns an image of a small Debian system with systemd, a journal in
// memory, a shell's programs, and nothing else: no udev, no D-Bus, no logins.
func Systemd() *Image {
	i := NewImage()
	i.Host("/lib/systemd/systemd", "/lib/systemd/systemd-journald", "/lib/systemd/systemd-shutdown")
	i.Programs("systemctl", "journalctl", "systemd-analyze")
	for _, u := range units {
		i.Host(path.Join("/lib/systemd/system", u))
	}
	i.Link("/etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target")
	i.File("/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\n"))
	i.File("/etc/group", 0o644, []byte("root:x:0:\n"))
	// Without one, systemd takes it for the first boot and asks questions.
	i.File("/etc/machine-id", 0o444, []byte("0123456789abcdef0123456789abcdef\n"))
	return i
}

// Unit adds a unit of systemd's, and enables it as the targets' folders say.
func (i *Image) Unit(name, text string, wantedBy ...string) {
	const dir = "/etc/systemd/system/"
	i.File(dir+name, 0o644, []byte(text))
	for _, target := range wantedBy {
		i.Link(dir+target+".wants/"+name, "../"+name)
	}
}
