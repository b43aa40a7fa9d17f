# SPDX-License-Identifier: BSD-2-Clause
# Bash completion of lintel(1). Commands and options come from the tool's own help, so that there is one list of them.
_lintel()
{
    local current=$2 previous=$3 tool=$1 command=${COMP_WORDS[1]}

    # In a source tree it is the launcher, which installs and builds first: that is not for a key to start.
    [[ -f ${tool%/*}/meson.build ]] && tool=${tool%/*}/build/tool/lintel
    [[ $tool != */* || -x $tool ]] || return
    case $previous in
        --on) mapfile -t COMPREPLY < <(compgen -W 'bochs qemu-kvm' -- "$current"); return ;;
        --firmware) mapfile -t COMPREPLY < <(compgen -W 'bios ovmf seabios' -- "$current"); return ;;
        --end) mapfile -t COMPREPLY < <(compgen -W 'halt bochs qemu' -- "$current"); return ;;
        --keep | --log) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
        -o | --output | --junit | --json) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        --cpu | --ips | --time | --timeout | --hypervisor-options) return ;;
    esac
    if [[ $COMP_CWORD == 1 || ($COMP_CWORD == 2 && $command == help) ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$tool" help | sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$current")
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(
            compgen -W "$("$tool" "$command" --help | grep -o -- '^  .*' | grep -oE -- '(^  |, )--?[a-z-]+' | tr -d ' ,')" \
                -- "$current"
        )
    else
        mapfile -t COMPREPLY < <(compgen -f -X '!*.y*ml' -- "$current"; compgen -d -- "$current")
    fi
}
complete -F _lintel lintel ./lintel
