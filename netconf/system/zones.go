package system

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// zoneinfo is where the host's time zones are.
const zoneinfo = "/usr/share/zoneinfo"

// zoneLists are the lists of zones that a host may have there, the most
// complete one first, and how a line of each names one.
var zoneLists = []struct {
	file string
	name func(fields [][]byte) []byte
}{
	{"tzdata.zi", compiled},
	{"zone1970.tab", tabled},
	{"zone.tab", tabled},
}

// compiled reads a line such as "Z Europe/Berlin …" or, of another name for a
// zone, "L Europe/Berlin Arctic/Longyearbyen".
func compiled(fields [][]byte) []byte {
	switch {
	case len(fields) > 2 && string(fields[0]) == "Z":
		return fields[1]
	case len(fields) == 3 && string(fields[0]) == "L":
		return fields[2]
	}
	return nil
}

// tabled reads a line such as "DE +5230+01322 Europe/Berlin".
func tabled(fields [][]byte) []byte {
	if len(fields) < 3 || bytes.HasPrefix(fields[0], []byte("#")) {
		return nil
	}
	return fields[2]
}

// unlisted are zones that every host has, and that the tables do not name.
var unlisted = []string{"UTC", "Etc/UTC", "GMT", "Etc/GMT"}

// BadZone tells why the host cannot have a time zone of that name; it is "" if
// it can. The name must stand in the host's own list, letter by letter; no file
// is looked at by a name that does not (RFC 4833, section 5).
func BadZone(name string) string {
	listed, err := isListed(name)
	switch {
	case err != nil:
		return fmt.Sprintf("the host has no list of time zones: %v (Debian has it in package tzdata)", err)
	case !listed:
		return "the host's list of time zones does not have that name"
	}
	b, err := atomicfile.Read(zoneinfo + "/" + name)
	if err != nil || !bytes.HasPrefix(b, []byte("TZif")) {
		return "the host's list has that name, but there is no such zone on the host"
	}
	return ""
}

// isListed looks a name up in the first list that there is.
func isListed(name string) (listed bool, err error) {
	if name == "" || len(name) > 255 || strings.ContainsAny(name, " \t\n\v\f\r") {
		return false, nil
	}
	for _, list := range zoneLists {
		var b []byte
		b, err = atomicfile.Read(zoneinfo + "/" + list.file)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(b) {
			if string(list.name(bytes.Fields(line))) == name {
				return true, nil
			}
		}
		return list.file != "tzdata.zi" && slices.Contains(unlisted, name), nil
	}
	if !os.IsNotExist(err) {
		return false, err
	}
	return false, fmt.Errorf("there is no %s/%s", zoneinfo, zoneLists[0].file)
}
