#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# two_linux.sh LINTEL TWO.YAML CPU: two Linux VMs at once, each to its shell; what is typed goes to the one that has the
# console, Ctrl-] n gives it to the other, and so does a power-off. The first one is busy while the second answers. The second one
# fetches a file from the first, by TCP over their network, and has all of its bytes; neither has lost a frame.
lintel=$1 two=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

# The loop has ended before the last programs run: the emulator's SYSRET would make them fail (docs/emulator.md). The points tell that the
# second VM is at work: in a long silence it would be typed what the first one is to get.
cat >typed <<END
echo first \$((6*7)) \$NAME
httpd -h /bin
while :; do :; done &
$(printf '\035')necho second \$((6*9)) \$NAME
init-stamp
(wget -qO f 10.0.0.1/busybox; cmp f /bin/busybox && wc -c f) &
while kill -0 \$! 2>&-; do echo .; sleep 0.2; done
set -- \$(grep eth0: /proc/net/dev)
echo lost \$4 \$5 \${12} \${13} of \$3 \${11}
poweroff -f
echo third \$((6*11)) \$NAME
kill \$!
abi-test
poweroff -f
END
timeout 890 "$lintel" run --on bochs --time $start_time --timeout 800 --cpu "$cpu" \
    --hypervisor-options console=focus "$two" >said 2>&1 <typed
code=$?
says '^first 42 one$' "typed input reaches the first VM"
says '^second 54 two$' "behind Ctrl-] n it reaches the second VM, while the first one is busy"
says '^lintel: vm two: powered off' "the second VM is powered off"
says '^third 66 one$' "then the first VM has the console"
! grep -qaE '^not ok' said && grep -qxE '1\.\.[0-9]+' said
result $? "the programs in it end with their plan"
says '^lintel: vm one: powered off' "the first VM is powered off"
says '^[0-9]{7} f$' "the second VM has a file of the first, by their network"
says '^lost 0 0 0 0 of [0-9]{3,} [0-9]{2,}$' "no frame is lost or wrong, and there are frames"
[ "$(sed -n 's/^lost .* of \([0-9]*\) .*/\1/p' said)" -lt 1000 ]
result $? "segments go whole from one VM to the other: 2 MB are not 1,370 frames"
[ $code = 0 ]
result $? "the run ends well"
plan
