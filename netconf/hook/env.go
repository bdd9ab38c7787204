package hook

import (
	"strconv"
	"time"

	"github.com/lessee/lessee/client/lease"
)

// environment is what a hook can know without reading JSON. The names are those
// of `lessee acquire --format env`.
func (e *Event) environment() env {
	v := newEnv()
	v.set("LESSEE_EVENT", string(e.Name))
	v.set("LESSEE_INTERFACE", e.Interface)
	v.set("LESSEE_NAMESPACE", e.Namespace)
	v.set("LESSEE_STATE", e.State)
	v.set("LESSEE_HOLDER", e.Holder)
	if e.Unconfirmed {
		v.set("LESSEE_UNCONFIRMED", "1")
	}
	if e.Kept {
		v.set("LESSEE_KEPT", "1")
	}
	if e.Missed > 0 {
		v.set("LESSEE_MISSED", strconv.Itoa(e.Missed))
	}
	if e.Former != nil {
		v.set("LESSEE_FORMER_ADDRESS", e.Former.Addr.Addr().String())
	}
	if e.Lease != nil {
		v.lease(e.Lease)
	}
	return v
}

func (v *env) lease(l *lease.Lease) {
	v.set("LESSEE_ADDRESS", l.Addr.Addr().String())
	v.set("LESSEE_PREFIX_LENGTH", strconv.Itoa(l.Addr.Bits()))
	v.set("LESSEE_SERVER", one(l.Server))
	if !l.Infinite() {
		v.set("LESSEE_EXPIRY", strconv.FormatInt(l.Expiry.Unix(), 10))
		v.set("LESSEE_LEASE_SECONDS", strconv.FormatInt(int64(l.Expiry.Sub(l.Start)/time.Second), 10))
	}
	v.set("LESSEE_ROUTERS", list(l.Routers))
	v.set("LESSEE_DNS", list(l.DNS))
	v.set("LESSEE_DOMAIN", name(l.Domain))
	v.set("LESSEE_SEARCH", names(l.Search))
	v.set("LESSEE_HOSTNAME", name(l.HostName))
	v.set("LESSEE_NTP", list(l.NTP))
	if l.MTU != 0 {
		v.set("LESSEE_MTU", strconv.Itoa(l.MTU))
	}
	v.set("LESSEE_NEXT_SERVER", one(l.NextServer))
	v.set("LESSEE_BOOT_FILE", l.BootFile)
}
