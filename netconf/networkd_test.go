package netconf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// When a system boots, a lease may be there before systemd-resolved is, and
// before there is a bus to tell it on.
func TestNamesWaitForAResolverThatIsNotThereYet(t *testing.T) {
	d := newDweller(t, "file /etc/resolv.conf")
	stub := "../run/systemd/resolve/stub-resolv.conf"
	if err := os.Remove("/etc/resolv.conf"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(stub, "/etc/resolv.conf"); err != nil {
		t.Fatal(err)
	}
	d.life("eth0", nil, func(h *Host) error {
		if err := h.Apply(t.Context(), fullLease()); err != nil {
			return err
		}
		for want := firstRetry; want < lastRetry; want *= 2 {
			if got := h.Unfinished(); got != want {
				t.Errorf("again after %v, want %v", got, want)
			}
			if _, err := h.Repair(t.Context(), fullLease()); err != nil {
				return err
			}
		}
		if got := h.Unfinished(); got != lastRetry {
			t.Errorf("again after %v, want %v", got, lastRetry)
		}
		return nil
	})
	d.Resolved("")
	d.life("eth0", nil, func(h *Host) error {
		h.unfinished = lastRetry // it is the same one
		_, err := h.Repair(t.Context(), fullLease())
		if got := h.Unfinished(); got != 0 {
			t.Errorf("again after %v although all is done", got)
		}
		return err
	})
	if got := d.Resolvectl("dns eth0"); !strings.Contains(got, "192.0.2.53") {
		t.Errorf("name servers %q", got)
	}
}

func TestNamesOfALinkThatNetworkdHas(t *testing.T) {
	d := newDweller(t, "systemd-resolved")
	d.Networkd("eth0", "[Network]\nLinkLocalAddressing=no\n")
	d.life("eth0", nil, func(h *Host) error {
		if err := h.Apply(t.Context(), fullLease()); err != nil {
			return err
		}
		if o := h.Options(); o.names == nil || !strings.Contains(o.names.left, "belongs to systemd-networkd") {
			t.Errorf("names: %+v", o.names)
		}
		if got := h.Unfinished(); got != firstRetry {
			t.Errorf("again after %v", got)
		}
		return nil
	})
	ifi, err := d.Interface("eth0")
	if err != nil {
		t.Fatal(err)
	}
	if got := networkdFile(networkdLinks, ifi.Index); got != "/run/systemd/network/10-eth0.network" {
		t.Errorf("the file is %q", got)
	}
	d.Networkd("eth0", "[Link]\nUnmanaged=yes\n")
	if got := networkdFile(networkdLinks, ifi.Index); got != "" {
		t.Errorf("the file is %q", got)
	}
	d.life("eth0", nil, func(h *Host) error {
		// systemd-resolved hears of it by and by.
		h.unfinished = firstRetry
		for end := time.Now().Add(time.Minute); h.Unfinished() > 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if _, err := h.Repair(t.Context(), fullLease()); err != nil {
				return err
			}
		}
		return nil
	})
	if got := d.Resolvectl("dns eth0"); !strings.Contains(got, "192.0.2.53") {
		t.Errorf("name servers %q", got)
	}
}

func TestTheLinksOfNetworkd(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"# This is private data. Do not parse.\nADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/lan.network\n": "/etc/systemd/network/lan.network",
		"NETWORK_FILE=/etc/systemd/network/lan.network\nADMIN_STATE=failed\n":                                            "/etc/systemd/network/lan.network",
		"ADMIN_STATE=unmanaged\nNETWORK_FILE=/etc/systemd/network/lan.network\n":                                         "",
		"ADMIN_STATE=pending\n": "",
		"nonsense":              "",
		"":                      "",
	} {
		if err := os.WriteFile(filepath.Join(dir, "7"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := networkdFile(dir, 7); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := networkdFile(dir, 8); got != "" {
		t.Errorf("of a link that it does not know: %q", got)
	}
	p := PlanFor(testLease(nil), Options{networkd: "/etc/systemd/network/lan.network"})
	if last := p.Refused[len(p.Refused)-1]; !strings.Contains(last.Why, "systemd-networkd configures it too, by /etc/systemd/network/lan.network") {
		t.Errorf("status says %v", last)
	}
}
