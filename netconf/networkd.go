package netconf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// networkdLinks is where systemd-networkd writes down what becomes of each link.
// Its readers are systemd's own programs, and it may change: nothing is decided
// by it, and only people are told.
const networkdLinks = "/run/systemd/netif/links"

// withNetworkd says what comes of it, and what helps.
func withNetworkd(file string) string {
	return fmt.Sprintf("systemd-networkd configures it too, by %s, and each takes away what the other sets up; Unmanaged=yes in the section [Link] there has it leave the link alone", file)
}

// meetNetworkd finds out whether systemd-networkd configures the link too, and
// tells of it.
func (h *Host) meetNetworkd() {
	h.networkd = ""
	if h.cfg.Namespace.Name() == "" && withTheSystem() {
		h.networkd = networkdFile(networkdLinks, h.record.Index)
	}
	if h.news(toldNetworkd, h.networkd) && h.networkd != "" {
		h.cfg.Log.Warn("the link has two managers", "link", h.link, "why", withNetworkd(h.networkd))
	}
	h.decide(h.Options())
}

// withTheSystem reports whether the first process is in this network namespace:
// the links of another one have the same numbers. Where that may not be looked
// at it is believed.
func withTheSystem() bool {
	theirs, err := os.Stat("/proc/1/ns/net")
	if err != nil {
		return true
	}
	ours, err := os.Stat("/proc/thread-self/ns/net")
	return err != nil || os.SameFile(theirs, ours)
}

// unprintable is what no terminal should get.
func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// networkdFile returns the file by which systemd-networkd configures the link of
// an index; "" if it leaves that alone.
func networkdFile(dir string, index int) (file string) {
	text, err := atomicfile.Read(filepath.Join(dir, fmt.Sprint(index)))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), "="); {
		case name == "NETWORK_FILE" && filepath.IsAbs(value) && !strings.ContainsFunc(value, unprintable):
			file = value
		case name == "ADMIN_STATE" && slices.Contains([]string{"pending", "initialized", "unmanaged"}, value):
			return ""
		}
	}
	return file
}
