# Completion for fish. Put it in /usr/share/fish/vendor_completions.d, or in
# ~/.config/fish/completions.
#
# What there is to complete, lessee's own help says: this file need not know.

function __lessee_words
    set -l words (commandline -opc) (commandline -ct)
    set -l command $words[2..-2]
    test "$command[1]" = help; and set -e command[1]
    set -l help (lessee help $command[1..2] 2>/dev/null; or lessee help $command[1] 2>/dev/null)
    string match -rq -- '^-' $words[-1]
    and string match -rg -- '^   (?:-., )?(--[a-z-]+)' $help
    and return
    string match -rq -- '^Usage: .*[[\] ]IFACE' $help
    and ls /sys/class/net
    or string join -- \n $help | sed -n '/^Commands:/,/^$/s/^   \([a-z]\{1,\}\)  *\(.*\)/\1\t\2/p'
end

complete -c lessee -f -a '(__lessee_words)'
complete -c lessee -l format -x -a 'text json env'
complete -c lessee -l log-level -x -a 'error warn info debug'
complete -c lessee -l probe -x -a 'fast rfc5227 off'
for flag in config pcap resolv-conf hook-script kernel-args
    complete -c lessee -l $flag -rF
end
for flag in state-dir run-dir hooks-dir net-conf-dir
    complete -c lessee -l $flag -x -a '(__fish_complete_directories)'
end
