package store_test

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/store"
)

// What is remembered of a link outlives the process.
func ExampleLink_Load() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	hw := dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}
	link, err := store.Open(dir, "eth0", hw, dhcp4.HardwareClientID(dhcp4.HTypeEthernet, hw), time.Now)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	err = link.Save(lease.Lease{
		Addr: netip.MustParsePrefix("192.0.2.7/24"), Server: netip.MustParseAddr("192.0.2.1"),
		Start: now, T1: now.Add(30 * time.Minute), T2: now.Add(50 * time.Minute), Expiry: now.Add(time.Hour),
	})
	if err != nil {
		panic(err)
	}
	r, err := link.Load()
	fmt.Println(r.Lease.Addr, r.Usable, err)
	// Output: 192.0.2.7/24 true <nil>
}
