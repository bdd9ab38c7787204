#!/bin/sh
# Install: with the rest of 40lessee; see README.md.
#
# A hook of dracut, which reads it into its own shell, each time that devices
# have settled: it configures the network, if lessee-wait.sh waits for it, and
# tells who boots from it.

# shellcheck disable=SC2154 # hookdir is dracut's

if [ -e "$hookdir/initqueue/finished/lessee.sh" ] && [ ! -e /run/lessee/booted ]; then
	if lessee_said=$(lessee acquire --boot --format env); then
		eval "$lessee_said"
		: >/run/lessee/booted
		info "lessee: ${LESSEE_LINKS:-nothing} configured"
		for lessee_link in $LESSEE_LINKS; do
			if [ -x /sbin/netroot ]; then
				/sbin/netroot "$lessee_link"
			fi
		done
	else
		warn "lessee: no network yet"
	fi
fi
