# SPDX-License-Identifier: BSD-2-Clause
# Bash completion of lintel(1). Commands, options and benchmarks come from the tool's own help, CPU models from Bochs, so that
# there is one list of each.

# Words that begin with what is typed, from a list.
_lintel_words()
{
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_lintel_models()
{
    _lintel_words "$(bochs --help cpu 2>&1 | grep -E '^[a-z0-9_]+$')"
}

# Names of files, by compgen's words: the shell quotes them, and puts a slash behind a folder.
_lintel_files()
{
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$@" -- "$current"; compgen -d -- "$current")
    mapfile -t COMPREPLY < <(printf '%s\n' "${COMPREPLY[@]}" | sort -u | sed '/^$/d')
}

_lintel()
{
    local current=$2 previous=$3 tool=$1 command=${COMP_WORDS[1]}

    # In a source tree it is the launcher, which installs and builds first: that is not for a key to start.
    [[ -f ${tool%/*}/meson.build ]] && tool=${tool%/*}/build/tool/lintel
    [[ $tool != */* || -x $tool ]] || return
    case $previous in
        --on) _lintel_words 'bochs qemu-kvm'; return ;;
        --firmware) _lintel_words 'bios ovmf seabios'; return ;;
        --end) _lintel_words 'halt bochs qemu'; return ;;
        --cpu) _lintel_models; return ;;
        --keep | --log) _lintel_files -d; return ;;
        --next) _lintel_files -c; return ;;
        -o | --output | --junit | --json) _lintel_files -f; return ;;
        --control) [[ $command != run ]] || { _lintel_files -f; return; } ;;
        --socket) _lintel_files -f; return ;;
        --interval | --limit | --port | --ips | --seconds | --last | --reason | --time | --timeout | --hypervisor-options) return ;;
    esac
    if [[ $COMP_CWORD == 1 || ($COMP_CWORD == 2 && $command == help) ]]; then
        _lintel_words "$("$tool" help | sed -n 's/^  \([a-z]*\) .*/\1/p')"
    elif [[ $current == -* ]]; then
        _lintel_words "$("$tool" "$command" --help | grep -o -- '^  .*' | grep -oE -- '(^  |, )--?[a-z-]+' | tr -d ' ,')"
    elif [[ $command == @(ps|top|trace|pause|resume|reset|poweroff|stop|start|snapshot|restore|fuzz|core|gdb|console|log) ]]; then
        _lintel_files -f
    elif [[ $command == bench && $COMP_CWORD == 3 ]]; then
        _lintel_models
    elif [[ $command == bench ]]; then
        _lintel_words "$("$tool" bench --help | sed -n '1s/^[^[]*\[\([a-z|-]*\).*/\1/p' | tr '|' ' ')"
    else
        _lintel_files -f -X '!*.y*ml'
    fi
}
complete -F _lintel lintel ./lintel
