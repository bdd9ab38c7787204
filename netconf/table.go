package netconf

// AutoTable is the [Options] Table that follows the link: the table of the VRF
// that the link belongs to, and the main table if it belongs to none.
const AutoTable = -1

// The tables that the kernel has of its own.
const (
	TableMain  = 254
	tableLocal = 255 // holds what the kernel itself makes of addresses
)

// tableOf is the table of the link's routes, 0 for the main one.
func (o Options) tableOf(now linkNow) int {
	switch {
	case o.Table == AutoTable:
		return now.vrf
	case o.Table == TableMain:
		return 0
	}
	return o.Table
}

// IsTable reports whether n is the number of a table that routes may be put
// into: not 0, which is none, nor the local table, which is the kernel's.
func IsTable(n int) bool { return n > 0 && n != tableLocal }
