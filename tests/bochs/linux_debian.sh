#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# linux_debian.sh LINTEL DEBIAN.YAML MAKER CPU: a Debian boots from its own disk to a login, somebody logs in, writes a file and switches it
# off. What it wrote, and that it is whole, is seen in the disk's file. MAKER makes the Debian: where it cannot, for want of a network
# or of what mmdebstrap needs, there is nothing to test.
lintel=$1 yaml=$(realpath "$2") maker=$(realpath "$3") cpu=$4
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"
# What systemd tells while it waits would be taken for a prompt.
sed 's/systemd.show_status=1/systemd.show_status=0/' "$yaml" >debian.yaml
export PATH=$PATH:/usr/sbin:/sbin

packages=$(sed -n 's/^ *contents: debian://p' debian.yaml) cache=${XDG_CACHE_HOME:-$HOME/.cache}/lintel
mkdir -p "$cache"
if ! sh "$maker" "$cache" "$packages" debian first.img 1048576 1071644672 >made 2>&1; then
    sed 's/^/# /' made | tail -n 20
    echo '1..0 # SKIP no Debian can be made here'
    exit
fi
rm first.img

cat >typed <<'END'
root
cat /etc/os-release; systemctl is-system-running --wait; echo from $((6*7)) >/root/words
systemctl poweroff
END
timeout 890 "$lintel" run --on bochs --time "$start_time" --timeout 800 --cpu "$cpu" debian.yaml >said 2>&1 <typed
result $? 'a Debian boots, and switches itself off'
says '^lintel: putting debian:.* into the partition lintel-root' 'its root file system is made'
says '^debian login: ' 'it has a login on its console'
says '^ID=debian' 'root needs no password'
says '^running' 'all of its services run'
says '^lintel: vm debian: powered off' 'its end is a power-off'
dd if=debian.img of=partition bs=1M skip=1 count=1022 conv=sparse status=none
e2fsck -fn partition >check 2>&1
result $? 'its file system is whole'
[ "$(debugfs -R 'cat /root/words' partition 2>/dev/null)" = 'from 42' ]
result $? 'what it wrote is in the file'
plan
