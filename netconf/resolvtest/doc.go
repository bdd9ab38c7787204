// Package resolvtest puts real resolvers on the hosts of tests: systemd-resolved
// with a bus, openresolv, Debian's resolvconf. They work in an /etc and a /run
// of the test's own, in the mount namespace that [nettest.Main] has made;
// nothing of the machine changes.
//
//	n := nettest.New(t)
//	h := resolvtest.New(t, n.Host("host"))
//	h.Resolved("")                           // or h.Resolvconf("openresolv")
//	before := h.State()
//
// The files of the packages come from .ci/resolvers, which unpacks them without
// installing them. Tests are skipped where that was not run, or where they are
// not root's, and fail instead if CI is set in the environment. They cannot run
// side by side.
package resolvtest
