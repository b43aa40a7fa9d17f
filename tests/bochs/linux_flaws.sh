#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# linux_flaws.sh LINTEL DEMO.YAML CPU TABLE: what Debian's Linux says of this CPU's flaws, a line of /sys/devices/system/cpu/vulnerabilities
# each, is what the table says that it must in a VM; and a program uses user shadow stacks (CET), where the kernel has them.
lintel=$1 demo=$(realpath "$2") cpu=$3 table=$(realpath "$4")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

cat >typed <<'END'
grep -c user_shstk /proc/cpuinfo
cd /sys/devices/system/cpu/vulnerabilities; grep . *
abi-test
poweroff -f
END
sed 's/ mitigations=off//' "$demo" >vm.yaml
timeout 590 "$lintel" run --on bochs --time $start_time --timeout 560 --cpu "$cpu" vm.yaml >said 2>&1 <typed
result $? "the run ends well"
while IFS='|' read -r name text _; do
    said=$(sed -n "s/^$name://p" said)
    # an older kernel has not heard of all of them
    [ -z "$said" ] || [ "$said" = "$text" ]
    result $? "$name: $text${said:+, and Linux says: $said}"
done < <(grep -v '^#' "$table")
unknown=$(grep -oE '^[a-z0-9_]+:(Not affected|Vulnerable|Mitigation|Processor|Unknown|KVM)' said | cut -d: -f1 | grep -vxFf <(cut -d'|' -f1 "$table"))
[ -z "$unknown" ]
result $? "each of the kernel's lines is in the table: ${unknown:-all}"
grep -qE '^spectre_v2:' said
result $? "there are such lines"
! grep -qE '^not ok' said && grep -qE '^1\.\.[0-9]+$' said
result $? "the programs in the guest end with their plan, and nothing fails"
if grep -qE '^[1-9]$' said; then
    says '^ok [0-9]+ - on a shadow stack it ends the program$' "user shadow stacks work"
else
    grep -qE '^Linux ([0-5]\.|6\.[0-5]\.)' said
    result $? "only a kernel of before 6.6 has no user shadow stacks"
fi
plan
