#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# net.sh LINTEL KERNEL CPU [OPTION...]: two VMs on a network, one of which sends back what the other one sends (guests/net.c).
lintel=$1 kernel=$(realpath "$2") cpu=$3
shift 3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

cat >vm.yaml <<END
host:
  memory: 256M
  networks: [{name: lan}]
vms:
  - {name: ask, kernel: $kernel, memory: 16M, networks: [{on: lan}]}
  - {name: echo, kernel: $kernel, memory: 16M, cmdline: echo, networks: [{on: lan}]}
END
boot 90 --cpu "$cpu" --hypervisor-options console=lines "$@"
[ $? = 0 ]
result $? "the run ends well"
cp said whole
for vm in ask echo; do
    sed -n "s/^\[$vm\] //p" whole >said
    grep -E '^(ok|not ok) [0-9]+ - |^# |^Bail out!' said | sed 's/^/# /'
    tests=$(grep -cE '^ok [0-9]+ - ' said)
    [ "$tests" -gt 0 ] && grep -qx "1\.\.$tests" said && ! grep -qE '^not ok |^Bail out!' said
    result $? "all is well in $vm"
done
cp whole said
says "net [0-9a-f:]{17}: a frame of 1531 bytes is dropped, and others like it: the guest sends what is none" \
    "the log says that a frame is none"
! grep -q 'has no room' said
result $? "no frame finds no room"
plan
