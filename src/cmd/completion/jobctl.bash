# bash completion for jobctl: the program itself says what may come next.
# For this shell: source <(jobctl completion bash)
# With another name for it: complete -F __start_jobctl kubectl

# The words up to the cursor. COMP_WORDS is also split at = and :, which belong to their words.
__jobctl_split() {
    local rest=${COMP_LINE:0:COMP_POINT} part blank
    __jobctl_words=()
    for part in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        # The last one may go on behind the cursor.
        [[ $rest == "$part"* ]] || part=$rest
        rest=${rest#"$part"}
        if [[ -z $blank && ${#__jobctl_words[@]} -gt 0 ]]; then
            __jobctl_words[${#__jobctl_words[@]} - 1]+=$part
        else
            __jobctl_words+=("$part")
        fi
    done
}

__start_jobctl() {
    local program answer line current before
    local -i directive=0
    local -a __jobctl_words
    COMPREPLY=()
    __jobctl_split
    # An alias is no program.
    program=${__jobctl_words[0]}
    [[ ${program##*/} == jobctl ]] || program=jobctl
    answer=$("$program" __complete "${__jobctl_words[@]:1}" 2>/dev/null) || return
    current=${__jobctl_words[${#__jobctl_words[@]} - 1]}
    # The shell replaces only what stands behind the last = or :.
    before=${current%"${current##*[=:]}"}
    while IFS= read -r line; do
        if [[ $line == :* ]]; then
            directive=${line#:}
        else
            line=${line%%$'\t'*}
            COMPREPLY+=("${line#"$before"}")
        fi
    done <<<"$answer"
    if ((directive & 2)); then
        compopt -o nospace 2>/dev/null
    fi
    if ((directive & 4)) || [[ ${#COMPREPLY[@]} -gt 0 ]]; then
        compopt +o default 2>/dev/null
    else
        compopt -o default 2>/dev/null
    fi
}

complete -F __start_jobctl jobctl
