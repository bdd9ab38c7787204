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
// installing them. Tests are skipped for ordinary users, and where that was not
// run; with CI set in the environment the latter is a failure. They cannot run
// side by side.
package resolvtest
