package system

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// The files of Debian's ntpsec.
const (
	ntpConf     = "/etc/ntpsec/ntp.conf"
	ntpDHCPConf = "/run/ntpsec/ntp.conf.dhcp"
	ntpDefaults = "/etc/default/ntpsec"
)

// ntpHeader tells whose ntp.conf.dhcp is.
const ntpHeader = "# Written by lessee from DHCP leases: a copy of " + ntpConf + " with their time servers.\n"

// ntpsec reads one file. Debian's start script takes, in the place of ntp.conf,
// a copy in /run with other servers, which whoever speaks DHCP makes; dhclient's
// hook does too, and whose it is then is left alone.
var ntpsec = clockKeeper{
	name:   "ntpsec",
	isHere: func() bool { _, err := os.Stat(ntpConf); return err == nil && isProgram("/usr/sbin/ntpd") },
	files: func(l links) ([]dropIn, error) {
		if ignoresDHCP() {
			return nil, nil
		}
		if b, err := atomicfile.Read(ntpDHCPConf); err == nil && !strings.HasPrefix(string(b), ntpHeader) {
			return nil, fmt.Errorf("%s is somebody else's, and is left alone", ntpDHCPConf)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		conf, err := look(ntpConf)
		if err != nil {
			return nil, err
		}
		text, err := atomicfile.Read(ntpConf) // also where it is a link
		if err != nil {
			return nil, err
		}
		return []dropIn{{ntpDHCPConf, ntpText(string(text), merged(l)), conf.ownerOr(ntpConf)}}, nil
	},
	ours: func() []string {
		b, err := atomicfile.Read(ntpDHCPConf)
		if err == nil && strings.HasPrefix(string(b), ntpHeader) || err != nil && atomicfile.Littered(ntpDHCPConf) {
			return []string{ntpDHCPConf}
		}
		return nil
	},
	tell: func() error { return restart("ntpsec") },
}

// ntpText is the operator's configuration with our servers in the place of his.
// His rules for how many servers must agree (tos) were made for those.
func ntpText(conf string, servers []netip.Addr) string {
	var b strings.Builder
	b.WriteString(ntpHeader + "\n" + lines("server %v iburst\n", servers) + "\n")
	for line := range strings.Lines(conf) {
		words := strings.Fields(line)
		if len(words) > 1 {
			switch words[0] {
			case "server", "peer", "pool", "tos":
				continue
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// ownerOr is whose a file is, also where s is a link to it.
func (s *stand) ownerOr(path string) atomicfile.Owner {
	if s.Kind != isLink {
		return s.Owner
	}
	o := atomicfile.Mine(0o644)
	if info, err := os.Stat(path); err == nil {
		o.Perm = info.Mode().Perm()
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			o.UID, o.GID = int(st.Uid), int(st.Gid)
		}
	}
	return o
}

// ignoresDHCP reports whether the operator has told Debian's start script to
// leave the file alone. It is a line of shell; only the plain forms count.
func ignoresDHCP() bool {
	b, _ := atomicfile.Read(ntpDefaults) // without it he has not
	ignores := false
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "IGNORE_DHCP="); ok {
			ignores = strings.Trim(value, `"'`) == "yes"
		}
	}
	return ignores
}
