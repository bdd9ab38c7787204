// Package kernelargs reads what the kernel's command line says of the network:
// the words that Linux' own autoconfiguration has (nfsroot), and those that
// klibc's ipconfig, initramfs-tools, PXELINUX and dracut have added. It knows
// text, and neither links nor files.
//
//	"quiet ip=:::::eth0:dhcp nameserver=192.0.2.53" ──Parse──► Args ──Wanted("eth0", …)──► Link
//
//	args := kernelargs.Parse(line)
//	for _, n := range args.Notices {
//		log.Print(n) // word 3 (column 12), ip=dhcp6: IPv6 is not this program's
//	}
//	if link, ok := args.Wanted("eth0", "52:54:00:12:34:56"); ok { … }
//
// # What is understood
//
//	ip=, ip=dhcp, on, any, all        every link by DHCP
//	ip=single-dhcp                    every link, the first one wins
//	ip=IFACE:dhcp[:[MTU][:MAC]]       one link by DHCP; on and any mean the same
//	ip=CLIENT:SERVER:GATEWAY:NETMASK:HOSTNAME:IFACE:METHOD[:DNS0[:DNS1[:NTP0]]]
//	                                  or, after METHOD, [:[MTU][:MAC]]
//	ip=off, none, static              nothing
//	nfsaddrs=                         an old name of ip=
//	BOOTIF=MAC, rd.bootif=0           of links that are not named, the one that was booted from
//	nameserver=ADDRESS                may be repeated
//	rd.neednet=0, rd.peerdns=0, rd.net.timeout.dhcp=SECONDS, rd.net.timeout.carrier=SECONDS,
//	rd.net.dhcp.retry=COUNT, rd.net.dhcp.vendor-class=TEXT
//
// What asks for something else than DHCP for IPv4 is not followed, and told of
// with its place: a static address, BOOTP and RARP, IPv6, rd.route=, and the
// words that make links. What is no address, no name or no number is told of in
// the same way. Words that have nothing to do with the network are passed over.
package kernelargs
