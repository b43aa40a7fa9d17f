# SPDX-License-Identifier: BSD-2-Clause
# A hypervisor, or a monitor, that breaks. Sourced behind common.bash.
# shellcheck shell=bash

# body FILE FUNCTION: where the function's instructions are in the file, after it has made its frame, if it makes one.
body()
{
    local address segment
    address=$((0x$(objdump -d --disassemble="$2" "$1" | awk '
        framed && /^ *[0-9a-f]+:/ { at = $1; framed = 0 }
        /^ *[0-9a-f]+:/ && at == "" { at = $1 }
        /mov +%rsp,%rbp/ { framed = 1 }
        END { sub(":", "", at); print at }')))
    readelf -lW "$1" | awk '$1 == "LOAD" { print $2, $3, $5 }' | while read -r start virtual size; do
        segment=$((address - virtual))
        [ $segment -ge 0 ] && [ $segment -lt $((size)) ] && echo $((start + segment))
    done
}

# break_at PROGRAM FUNCTION: makes `broken` of it, in which that function begins with an instruction that does not exist (UD2).
break_at()
{
    cp "$1" broken
    printf '\x0f\x0b' | dd of=broken bs=1 seek="$(body broken "$2")" conv=notrunc status=none
}
