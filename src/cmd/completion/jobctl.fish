# fish completion for jobctl: the program itself says what may come next.
# For this shell: jobctl completion fish | source
# With another name for it: complete -c kubectl -w jobctl

function __jobctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # An alias is no program.
    set -l program $words[1]
    string match -qr '(^|/)jobctl$' -- $program; or set program jobctl
    set -l answer ($program __complete $words[2..-1] "$current" 2>/dev/null)
    or return
    set -l directive (string replace ':' '' -- $answer[-1])
    set -e answer[-1]
    if test (count $answer) -gt 0
        printf '%s\n' $answer
    else if test (math "floor($directive / 4) % 2") -eq 0
        # The path may be the value in a word --flag=value.
        set -l flag (string match -r -- '^--[^=]*=' $current)
        printf '%s\n' "$flag"(__fish_complete_path (string replace -- "$flag" '' $current))
    end
end

complete -c jobctl -f -a '(__jobctl_complete)'
