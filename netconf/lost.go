package netconf

import (
	"fmt"
	"net"
	"slices"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// Lost returns those of [Remains] whose links do not exist any more, also under
// no other name: they are for [Forget]. A card was pulled out while nobody kept
// the link, say; what a resolver's file has of it outlives boots.
func Lost(cfg Config) (links []string, err error) {
	var there []net.Interface
	err = cfg.Namespace.Enter(func() (err error) {
		there, err = net.Interfaces()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	known := records(cfg)
	for _, link := range Remains(cfg) {
		r, recorded := known[link]
		recorded = recorded && r.BootID == atomicfile.BootID()
		if !slices.ContainsFunc(there, func(i net.Interface) bool { return i.Name == link || recorded && i.Index == r.Index }) {
			links = append(links, link)
		}
	}
	return links, nil
}
