// Package klibc writes what was configured into files of the form that klibc's
// ipconfig has made customary at boot: scripts of initramfs-tools and of others
// read them with "." to learn of the network, its name servers and the server
// of the root file system.
//
//	lease ──Conf──► text ──Write──► /run/net-eth0.conf
//
//	err := klibc.Write("/run", "eth0", klibc.Conf("eth0", l, uptime))
//
// A shell that reads such a file executes it, and most of what it holds comes
// from a server. So every value stands between single quotes, where nothing is
// special but the quote itself, and a value that is not printable text in one
// line is left out. Names of variables are ours.
//
// All variables are there always, as ipconfig has them; what is not known is
// empty, or 0.0.0.0.
package klibc
