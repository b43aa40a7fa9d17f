#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# memtest.sh LINTEL CPU: Debian's memtest86+, a bzImage that is no Linux: its screen on the serial line, and tests that pass.
lintel=$1 cpu=$2
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe debian:memtest86+ 16M
echo '    cmdline: console=ttyS0,115200' >>vm.yaml
# It tests for ever: what is waited for is the third test's line, which stands behind those of the tests before.
"$lintel" run --on bochs --time $start_time --timeout 170 --cpu "$cpu" vm.yaml >said 2>&1 </dev/null &
run=$!
until grep -qa '#2 .*own address' said || ! kill -0 $run; do
    sleep 1
done 2>alive
kill $run 2>alive
wait $run
says 'Memtest86\+ v[0-9]' "memtest86+ shows its screen"
says '#2 .*own address' "its tests run"
says 'Errors: 0' "it counts errors"
! grep -qaE 'Errors: [1-9]' said
result $? "there are none"
plan
