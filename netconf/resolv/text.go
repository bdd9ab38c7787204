package resolv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// header tells whoever opens the file what it is.
const header = `# Written by lessee from DHCP leases. What stood here before comes back when
# the last lease goes ("lessee release IFACE").
`

// glibcServers is how many name servers glibc reads (MAXNS in resolv.h).
const glibcServers = 3

// render is the text of the file: servers and search domains of all links, each
// once. More servers than glibc reads are written all the same: other resolvers
// read them.
func render(links []part) string {
	var b strings.Builder
	b.WriteString(header)
	servers, search := merge(links)
	if len(search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(search, " "))
	}
	for i, s := range servers {
		if i == glibcServers {
			fmt.Fprintf(&b, "# glibc reads the first %d name servers; these are for other resolvers.\n", glibcServers)
		}
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	return b.String()
}

// merge lists the servers and search domains of all links, each once: the link
// with the lowest metric first, and of equals the one that came first.
func merge(links []part) (servers, search []string) {
	once := func(list *[]string, s string) {
		if !slices.ContainsFunc(*list, func(have string) bool { return strings.EqualFold(have, s) }) {
			*list = append(*list, s)
		}
	}
	for _, p := range byMetric(links) {
		for _, d := range p.Config.search() {
			once(&search, d)
		}
		for _, a := range p.Config.Servers {
			once(&servers, a.String())
		}
	}
	return servers, search
}

// byMetric sorts links: the one to ask first, first.
func byMetric(links []part) []part {
	out := slices.Clone(links)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Config.Metric < out[j].Config.Metric })
	return out
}

// signature tells which other tool says in its header that it wrote the file.
func signature(text string) string {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		for _, who := range []string{"NetworkManager", "systemd-resolved", "resolvconf", "dhcpcd", "connman"} {
			if strings.Contains(line, who) {
				return who
			}
		}
	}
	return ""
}

// A content is the text of a file, which need not be UTF-8: comments may be in
// any encoding, and come back as they were.
type content string

// MarshalJSON writes UTF-8 as a string, and anything else as base64.
func (c content) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(c)) {
		return json.Marshal(string(c))
	}
	return json.Marshal(struct {
		Base64 []byte `json:"base64"`
	}{[]byte(c)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *content) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(b, []byte("{")) {
		return json.Unmarshal(b, (*string)(c))
	}
	var raw struct {
		Base64 []byte `json:"base64"`
	}
	err := json.Unmarshal(b, &raw)
	*c = content(raw.Base64)
	return err
}
