#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench.sh ROOT: what bench/exits makes of a run, as TAP. In place of the tool stands a script that says what a guest would.
set -u

root=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export LINTEL_BUILD=$work/build TMPDIR=$work PATH=$work/bin:$PATH
mkdir -p build/tool bin
printf '#!/bin/sh\ncat "%s/scene"\nexit "$(cat "%s/code")"\n' "$work" "$work" >build/tool/lintel
printf '#!/bin/sh\necho; echo corei7_skylake_x\n' >bin/bochs
chmod +x build/tool/lintel bin/bochs
count=0

# expect NAME CODE PATTERN: bench/exits with what is in the scene; a line of what it says matches.
expect()
{
    "$root/bench/exits" >said 2>&1
    local code=$?
    count=$((count + 1))
    if [ $code = "$2" ] && grep -qE -- "$3" said; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        sed 's/^/# /' said
        echo "# code $code"
    fi
}

export LINTEL_BENCH_CPU=corei7_skylake_x
echo 0 >code
printf 'lintel: 8 start\n# TSC 10000 kHz\noperation,ticks\nNOP,1\nCPUID,102\nhistogram,CPUID,102,200\nok 1 - measured\n1..1\n' >scene
expect 'a run that comes to its end' 0 '^corei7_skylake_x,CPUID,102$'
printf 'operation,ticks\nNOP,1\nBail out! #GP at 1234\nlintel: end: 1 VMs, 0 faults\n' >scene
expect 'an exception in the guest' 1 '^exits: the guest did not come to its end: Bail out! #GP at 1234$'
printf 'operation,ticks\nNOP,1\n' >scene
expect 'a run that breaks off' 1 '^exits: the guest did not come to its end: NOP,1$'
printf 'lintel: vm bench: stopped for a fault: it broke\n' >scene
echo 1 >code
expect 'a fault' 1 '^exits: the run on corei7_skylake_x failed: '
LINTEL_BENCH_CPU=486 expect 'a model that Bochs lacks' 1 "^exits: Bochs has no CPU model '486'"

echo "1..$count"
