# SPDX-License-Identifier: BSD-2-Clause
# What the tests of the command line share: TAP, the exit code and the words of a command, and a kernel to describe. Sourced by
# a script whose first argument is the tool and whose last one the root of the source; it is in a folder of its own then.
set -u

lintel=$(realpath "$1")
root=$(realpath "${!#}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export TMPDIR=$work
count=0

# result GOOD NAME: one line of TAP; what was said follows a failure.
result()
{
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        sed 's/^/# /' said
    fi
}

# expect NAME CODE PATTERN COMMAND...: the exit code, and a line of output that matches the pattern.
expect()
{
    local name=$1 code=$2 pattern=$3
    shift 3
    "$@" >said 2>&1 </dev/null
    local got=$?
    [ $got = "$code" ] && grep -qE -- "$pattern" said
    local good=$?
    [ $good = 0 ] || echo "expected code $code and /$pattern/, got code $got" >>said
    result $good "$name"
}

# description NAME CODE PATTERN: checks the description on standard input.
description()
{
    cat >vm.yaml
    expect "check: $1" "$2" "$3" "$lintel" check vm.yaml
}

# put FILE OFFSET BYTES: bytes as printf writes them.
put()
{
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# The smallest program of a process: an ELF header and one segment, with 4 KiB of memory from 400000h on.
make_program()
{
    head -c 120 /dev/zero >"$1"
    put "$1" 0 '\177ELF\002\001\001'
    put "$1" 16 '\002\000\076\000\001'
    put "$1" 26 '\100'      # the entry, 400000h
    put "$1" 32 '\100'      # where the segment's row is
    put "$1" 54 '\070\000\001'
    put "$1" 64 '\001\000\000\000\005'
    put "$1" 82 '\100'      # its address
    put "$1" 96 '\170'      # its bytes: all
    put "$1" 105 '\020'     # its memory
}

# The smallest 64-bit bzImage: headers and one paragraph.
make_kernel()
{
    head -c 1552 /dev/zero >"$1"
    put "$1" $((0x1f1)) '\002'
    put "$1" $((0x1f4)) '\001'
    put "$1" $((0x1fe)) '\125\252'
    put "$1" $((0x201)) '\142'          # the jump: where the header ends
    put "$1" $((0x202)) 'HdrS\017\002'
    put "$1" $((0x211)) '\001'
    put "$1" $((0x22c)) '\377\377\377\177' # initrd_addr_max: 2 GiB
    put "$1" $((0x232)) '\040'          # kernel_alignment: 2 MiB
    put "$1" $((0x236)) '\001'
    put "$1" $((0x238)) '\020\000'      # cmdline_size: 16
    put "$1" $((0x25a)) '\000\001'      # pref_address: 16 MiB
    put "$1" $((0x262)) '\240\000'      # init_size: 10 MiB
}
