#!/bin/sh
# Install: the folder 40lessee to /usr/lib/dracut/modules.d; see README.md.
#
# A module of dracut: it puts lessee into the image, and lets it configure the
# network if the kernel's command line asks for that. Where lessee lies, if not
# in /usr/sbin, is LESSEE in the environment or in a file in /etc/dracut.conf.d.

# shellcheck disable=SC2034,SC2154 # dracut's own variables

# check: 255 says that the module is there for who asks for it.
check() {
	[ -x "${LESSEE:-/usr/sbin/lessee}" ] || return 1
	return 255
}

depends() {
	echo base
}

installkernel() {
	instmods af_packet '=drivers/net/ethernet' '=drivers/net/phy' virtio_net hv_netvsc xen-netfront vmxnet3
}

install() {
	inst "${LESSEE:-/usr/sbin/lessee}" /usr/sbin/lessee
	inst_hook cmdline 90 "$moddir/lessee-wait.sh"
	inst_hook initqueue/settled 60 "$moddir/lessee-boot.sh"
}
