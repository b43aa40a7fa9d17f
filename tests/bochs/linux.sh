#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# linux.sh LINTEL DEMO.YAML CPU [OPTION...]: Debian's kernel to its shell; what is typed is answered; its programs' verdict;
# power-off.
lintel=$1 demo=$(realpath "$2") cpu=$3
shift 3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

# The shell asks for each line, so the answers stand between its prompts.
cat >typed <<'END'
echo sum $((6*7))
uname -sm
init-stamp
cat /sys/devices/system/clocksource/clocksource0/current_clocksource
abi-test
sleep 1
cat /proc/interrupts
cat /proc/ioports
cat /sys/class/dmi/id/product_name
echo +3 >/sys/class/rtc/rtc0/wakealarm; echo freeze >/sys/power/state; echo woke $?
poweroff -f
END
timeout 290 "$lintel" run --on bochs --time $start_time --timeout 260 --cpu "$cpu" "$@" "$demo" >said 2>&1 <typed
code=$?
grep -aE '^(ok|not ok) [0-9]+ - ' said
tests=$(grep -acE '^(ok|not ok) [0-9]+ - ' said)
count=$tests
grep -qx "1\.\.$tests" said
result $? "the programs in the guest end with their plan"
says '^Linux .* runs as a guest of Lintel' "Linux reaches its shell"
says '^sum 42$' "typed input is answered"
says '^Linux x86_64$' "it is a 64-bit Linux"
says '^0505-0505 : QEMU0001:00$' "Linux finds the port to tell of a panic"
says '^init-stamp: [0-9]+$' "a program reads the TSC"
says '^Lintel virtual machine$' "Linux knows from SMBIOS what it runs on"
says '^woke 0$' "a sleep ends by the alarm of the RTC"
says 'reboot: Power down' "Linux switches itself off"
says '^lintel: vm demo: powered off' "the VM is powered off"
[ $code = 0 ]
result $? "the run ends well"
plan
