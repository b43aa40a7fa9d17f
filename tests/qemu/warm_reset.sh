#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# warm_reset.sh BUILD PROCESS: the machine is reset by a process that the plan lets do so; the next start prints what was logged last.
build=$(realpath "$1") process=$(realpath "$2") lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/common.bash"

make_boot end=qemu process a "$process" ports=0x70:2 ports=0xcf9:1
boot_qemu 60 max -action reboot=reset
cp said whole
[ "$(grep -c '^lintel: version ' whole)" = 3 ] && grep -q '^lintel: end: 1 processes, 0 faults$' whole
result $? 'the machine starts again after a reset'
sed -n '/^lintel: log of the run before:$/,/^lintel: end of the log of the run before$/p' whole >said
[ "$(grep -c '^lintel: log of the run before:$' whole)" = 1 ] && [ "$(sed -n 2p said)" = "$(head -n 1 whole)" ]
result $? 'and prints the log of the run before, once, from its beginning on'
tail -n 2 said | head -n 1 | grep -q '^lintel: process a: this is its last word$'
result $? 'to its last word'
plan
