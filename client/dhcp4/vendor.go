package dhcp4

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// VendorData is what one enterprise says in option 124 or 125 (RFC 3925). Its
// meaning is the enterprise's.
type VendorData struct {
	Enterprise uint32 `json:"enterprise"` // IANA's private enterprise number
	Data       []byte `json:"-"`
}

// String returns "4491:0x0101".
func (v VendorData) String() string { return fmt.Sprintf("%d:0x%x", v.Enterprise, v.Data) }

// vendorData is any number of blocks: enterprise, length, data.
var vendorData = &form[[]VendorData]{
	parse: func(b []byte) ([]VendorData, string) {
		if len(b) == 0 {
			return nil, "empty"
		}
		var out []VendorData
		for len(b) > 0 {
			if len(b) < 5 || len(b) < 5+int(b[4]) {
				return nil, "an enterprise's block is cut off at the end"
			}
			end := 5 + int(b[4])
			out = append(out, VendorData{binary.BigEndian.Uint32(b), b[5:end:end]})
			b = b[end:]
		}
		return out, ""
	},
	write: func(b []byte, v []VendorData) ([]byte, string) {
		return writeEach(b, v, func(b []byte, v VendorData) ([]byte, string) {
			if len(v.Data) > 255 {
				return b, fmt.Sprintf("%d bytes for an enterprise, at most 255 fit", len(v.Data))
			}
			b = binary.BigEndian.AppendUint32(b, v.Enterprise)
			b = append(b, byte(len(v.Data)))
			return append(b, v.Data...), ""
		})
	},
	show: func(v []VendorData) string { return join(v) },
	scan: func(s string) ([]VendorData, error) {
		return scanEach(s, func(s string) (VendorData, error) {
			number, data, _ := strings.Cut(s, ":")
			n, err := strconv.ParseUint(number, 10, 32)
			if err != nil {
				return VendorData{}, bare(err)
			}
			b, err := scanHex(data)
			return VendorData{uint32(n), b}, err
		})
	},
	data:    func(v []VendorData) any { return strs(v) },
	example: "4491:0x0101",
}

// userClass is a list of classes, each with its length and none empty (RFC
// 3004, section 4).
var userClass = &form[[][]byte]{
	parse: func(b []byte) ([][]byte, string) {
		if len(b) == 0 {
			return nil, "empty"
		}
		var out [][]byte
		for len(b) > 0 {
			end := 1 + int(b[0])
			switch {
			case end == 1:
				return nil, "an empty class"
			case len(b) < end:
				return nil, "a class is cut off at the end"
			}
			out = append(out, b[1:end:end])
			b = b[end:]
		}
		return out, ""
	},
	write: func(b []byte, v [][]byte) ([]byte, string) {
		return writeEach(b, v, func(b, class []byte) ([]byte, string) {
			if len(class) == 0 || len(class) > 255 {
				return b, fmt.Sprintf("a class of %d bytes", len(class))
			}
			return append(append(b, byte(len(class))), class...), ""
		})
	},
	show: func(v [][]byte) string { return strings.Join(classes(v), ",") },
	scan: func(s string) ([][]byte, error) {
		return scanEach(s, func(s string) ([]byte, error) { return []byte(s), nil })
	},
	data:    func(v [][]byte) any { return classes(v) },
	example: "accounting",
}

func classes(v [][]byte) (out []string) {
	for _, c := range v {
		out = append(out, printable(string(c)))
	}
	return out
}

func strs[T fmt.Stringer](v []T) (out []string) {
	for _, e := range v {
		out = append(out, e.String())
	}
	return out
}
