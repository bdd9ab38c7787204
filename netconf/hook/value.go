package hook

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lessee/lessee/client/dhcp4"
)

// value writes an option's value as dhclient and udhcpc both do: addresses and
// names parted by spaces, numbers and times in seconds as decimal digits, text
// as it stands. It is empty for what is malformed, and for what the two write
// in ways of their own. Names are checked; [env.set] checks the rest.
func value(o dhcp4.RawOption) string {
	spec, ok := dhcp4.ByCode(o.Code)
	if !ok {
		return ""
	}
	v, err := spec.Value(o.Value)
	if err != nil {
		return ""
	}
	switch v := v.(type) {
	case netip.Addr:
		return v.String()
	case []netip.Addr:
		return list(v)
	case []string:
		return names(v)
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case uint8, uint16, uint32, int32, []uint16:
		return strings.Trim(fmt.Sprint(v), "[]")
	case dhcp4.Lifetime:
		return strconv.FormatUint(uint64(v), 10)
	}
	return ""
}
