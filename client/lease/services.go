package lease

import (
	"fmt"
	"sort"
	"strings"

	"github.com/lessee/lessee/client/dhcp4"
)

// encrypted reads option 162, the resolvers to prefer first (RFC 9463, section
// 3.1.1).
func encrypted(n noter, o dhcp4.Options) []dhcp4.Resolver {
	list := note(n, dhcp4.EncryptedDNS, o)
	sort.SliceStable(list, func(i, j int) bool { return list[i].Priority < list[j].Priority })
	return list
}

// noPortal is what a server says where there is no portal (RFC 8910, section
// 2).
const noPortal = "urn:ietf:params:capport:unrestricted"

// portal reads option 114. One without TLS is passed on, and noted.
func portal(n noter, o dhcp4.Options) string {
	uri := note(n, dhcp4.CaptivePortal, o)
	if uri == "" || uri == noPortal {
		return ""
	}
	scheme, rest, _ := strings.Cut(strings.ToLower(uri), ":")
	if scheme == "" || rest == "" || strings.ContainsFunc(scheme, notInScheme) || strings.ContainsFunc(uri, notInURI) {
		n.add(fmt.Errorf("option 114 (captive-portal): %.100q is no URI", uri))
		return ""
	}
	if scheme != "https" || !strings.HasPrefix(rest, "//") {
		n.add(fmt.Errorf("option 114 (captive-portal): %s is not an https URI, so anybody on the way can answer for it", uri))
	}
	return uri
}

// notInScheme tells what stands in no scheme (RFC 3986, section 3.1).
func notInScheme(c rune) bool {
	return !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("+-.", c))
}

// notInURI tells what stands in no URI without being escaped (RFC 3986,
// appendix A): control bytes, spaces, quotes, and what is not ASCII.
func notInURI(c rune) bool {
	return c <= ' ' || c > '~' || strings.ContainsRune("\"'`<>\\^{|}", c)
}
