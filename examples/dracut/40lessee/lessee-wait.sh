#!/bin/sh
# Install: with the rest of 40lessee; see README.md.
#
# A hook of dracut, which reads it into its own shell: if the network is to be
# configured, the boot waits for that.

# shellcheck disable=SC2154 # hookdir is dracut's

if getarg ip= >/dev/null || getarg BOOTIF= >/dev/null || getargbool 0 rd.neednet; then
	mkdir -p "$hookdir/initqueue/finished"
	echo '[ -e /run/lessee/booted ]' >"$hookdir/initqueue/finished/lessee.sh"
fi
