package lease

import (
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
)

func TestWhatIsAboutTheHostIsReadIfItIsWellFormed(t *testing.T) {
	good := []string{"dhcp-server-identifier=192.0.2.1", "subnet-mask=/24", "dhcp-lease-time=1h"}
	l, notes, err := FromACK(ack(t, "192.0.2.77", append(good, "host-name=box", "fqdn=box.example.com.", "tzdb-timezone=America/Argentina/Ushuaia")...), start)
	if err != nil || len(notes) != 0 || l.HostName != "box" || l.FQDN != "box.example.com" || l.TimeZone != "America/Argentina/Ushuaia" {
		t.Errorf("%+v, %v, %v", l, notes, err)
	}
	for _, zone := range []string{"../../etc/passwd", "/etc/passwd", "Europe//Berlin", "Europe/Berlin/", "Europe/.", "a b", "a\nb", "$(id)", "-x", "\x00"} {
		m := ack(t, "192.0.2.77", good...)
		m.Options.Put(dhcp4.TZDatabase.Code, []byte(zone))
		if l, notes, err := FromACK(m, start); err != nil || len(notes) != 1 || l.TimeZone != "" {
			t.Errorf("%q: %q, notes %v, %v", zone, l.TimeZone, notes, err)
		}
	}
}
