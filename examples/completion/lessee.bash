# shellcheck shell=bash disable=SC2207 # zsh has no mapfile
# Completion for bash. Put it in /usr/share/bash-completion/completions/lessee,
# or source it. For zsh, in .zshrc after compinit:
#
#	autoload -U bashcompinit && bashcompinit && source lessee.bash
#
# What there is to complete, lessee's own help says: this file need not know.

_lessee() {
	local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]} help
	local command=${COMP_WORDS[1]} sub=${COMP_WORDS[2]}
	COMPREPLY=()

	# bash parts words at "=", zsh does not.
	case $cur in
	=) cur='' ;;
	--*=*) return ;;
	esac
	[[ $flag = = ]] && flag=${COMP_WORDS[COMP_CWORD-2]}

	((COMP_CWORD > 1)) || command=
	((COMP_CWORD > 2)) || sub=
	[[ $command = help ]] && { command=$sub sub=; }
	help=$("$1" help ${command:+"$command"} ${sub:+"$sub"} 2>/dev/null || "$1" help "$command" 2>/dev/null) || return 0

	local words='' value
	value=$(sed -n "s/^   $flag \([^ ][^ ]*\) .*/\1/p" <<<"$help")
	case $flag:$value in
	--format:*) words='text json env' ;;
	--log-level:*) words='error warn info debug' ;;
	--probe:*) words='fast rfc5227 off' ;;
	--*:FILE) COMPREPLY=($(compgen -f -- "$cur")) ;;
	--*:DIR) COMPREPLY=($(compgen -d -- "$cur")) ;;
	--*:?*) ;; # only the user knows
	*)
		case $cur in
		-*) words=$(sed -n 's/^   \(-., \)*\(--[a-z-]*\).*/\2/p' <<<"$help") ;;
		*)
			words=$(sed -n '/^Commands:/,/^$/s/^   \([a-z]\{1,\}\) .*/\1/p' <<<"$help")
			[[ $help = *"] IFACE"* || $help = *"[IFACE"* ]] && words=$(ls /sys/class/net)
			;;
		esac
		;;
	esac
	[[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
	return 0
}
complete -F _lessee lessee
