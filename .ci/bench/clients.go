package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// A client is a program that gets a lease for eth0.
type client struct {
	name  string
	args  []string
	stays bool // once it has the address, until it is ended
}

// clients are all that are compared, each as its own documentation starts it
// once. None of them checks the address by ARP but where it says so.
func (b *bench) clients() []client {
	state := filepath.Join(b.dir, "state")
	lessee := []string{b.binary, "acquire", "eth0", "--state-dir", state, "--run-dir", state, "--config", "none"}
	return []client{
		{"lessee --probe off", append(lessee, "--probe", "off"), false},
		{"lessee --probe fast", append(lessee, "--probe", "fast"), false},
		{"lessee run", []string{b.binary, "run", "eth0", "--state-dir", state, "--run-dir", state, "--config", "none", "--probe", "off"}, true},
		{"dhclient", []string{"dhclient", "-4", "-1", "-d", "-pf", state + "/dhclient.pid", "-lf", state + "/dhclient.leases", "eth0"}, true},
		{"udhcpc", []string{"udhcpc", "-i", "eth0", "-q", "-n", "-f"}, false},
		{"dhcpcd", []string{"dhcpcd", "-4", "-1", "-B", "--noarp", "eth0"}, false},
		{"networkd", []string{"/lib/systemd/systemd-networkd"}, true},
	}
}

// others are the clients that lessee's median is held to.
var others = []string{"dhclient", "networkd"}

// shown are the clients that nothing is held to.
var shown = []string{"udhcpc", "dhcpcd"}

// turns is how often each of the clients that are held to each other has its
// turn in a round: all as often, so that no fastest one is of more luck.
const turns = 4

// turn is one round.
func (b *bench) turn(only []string) (turn []client) {
	for n := range turns {
		for _, c := range b.clients() {
			if (only == nil || slices.Contains(only, c.name)) && (n == 0 || !slices.Contains(shown, c.name)) {
				turn = append(turn, c)
			}
		}
	}
	return turn
}

// resolvConf is what all of them write.
const resolvConf = "/etc/resolv.conf"

// stateDirs is where clients that have no option for it keep leases.
var stateDirs = []string{"/var/lib/dhcp", "/var/lib/dhcpcd"}

// privateFiles gives the clients directories that nobody else sees.
func privateFiles() error {
	for _, path := range append([]string{"/run"}, stateDirs...) {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", path, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("private %s: %w", path, err)
		}
	}
	// All of /etc, because their scripts write files beside resolv.conf, or one
	// where there was none.
	upper, work := "/run/etc", "/run/etc.work"
	if err := errors.Join(os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755)); err != nil {
		return err
	}
	if err := unix.Mount("overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir="+upper+",workdir="+work); err != nil {
		return fmt.Errorf("private /etc: %w", err)
	}
	// systemd-networkd waits for udev to know a link, unless /sys cannot be
	// written, as in a container.
	if err := unix.Mount("sysfs", "/sys", "sysfs", unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("read-only /sys: %w", err)
	}
	if err := os.MkdirAll("/run/systemd/network", 0o755); err != nil {
		return err
	}
	conf := "[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
	return os.WriteFile("/run/systemd/network/10-eth0.network", []byte(conf), 0o644)
}
