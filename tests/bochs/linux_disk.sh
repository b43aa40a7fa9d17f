#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# linux_disk.sh LINTEL DISK.YAML CPU BROKEN: Linux with its root file system on a disk, twice. The first run makes the disk, and is killed when
# its guest has written and flushed; the second one finds what was written, and so does, at the end, the file system's own tool. Sectors
# near the disk's end fail in the second run, and Linux says so.
lintel=$1 yaml=$(realpath "$2") cpu=$3 broken=$(realpath "$4")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"
cp "$yaml" disk.yaml
export PATH=$PATH:/usr/sbin:/sbin

words=(run --on bochs --time "$start_time" --timeout 260 --cpu "$cpu" disk.yaml)

# The end of the input does not end the guest, which has no more to do then.
cat >typed <<'END'
dd if=/dev/urandom of=noise bs=64k count=8; md5sum noise >sum; echo words >words; sync; echo it is $((6*7)) now
END
"$lintel" "${words[@]}" >said 2>&1 <typed &
for ((i = 0; i < 260; i++)); do
    grep -q '^it is 42 now' said && break
    sleep 1
done
says '^lintel: making the disk disk.img' 'the first run makes the disk'
says '^The disk is empty' 'its guest puts a file system there'
says '^it is 42 now' 'and writes to it'
"$lintel" check disk.yaml >check 2>&1
grep -q 'disk.img is in use by another run' check
result $? 'another run cannot have the disk then'
kill -KILL $!
wait $! 2>/dev/null
for ((i = 0; i < 10; i++)); do # the emulator, which has the disk's lock, ends a moment later
    "$lintel" check disk.yaml >check 2>&1 && break
    sleep 1
done

# A page that no file has, the last but one of the partition's 62 MiB.
page=$((62 * 256 - 2))
# Without echo and prompts, what is typed while a command is silent for long does not tear what it says.
cat >typed <<END
stty -echo; PS1=
ls /; md5sum -c sum; cat words; echo more >words
dd if=/dev/vda of=/dev/null bs=4096 skip=$page count=1; dd if=/dev/zero of=/dev/vda bs=4096 seek=$page count=1 conv=fsync,notrunc
dd if=/dev/vda of=/dev/null bs=4096 skip=$((page - 1)) count=1 && echo the page before is read
dmesg | grep 'I/O error'
poweroff -f
END
before="export LD_PRELOAD=$broken BROKEN='$work/disk.img $((2048 + page * 8)) 8'"
before_bochs
timeout 290 "$lintel" "${words[@]}" >said 2>&1 <typed
result $? 'the second run ends well'
! grep -qE '^lintel: making|^The disk is empty' said
result $? 'it takes the disk as it is'
says '^noise: OK' 'what was flushed when the first run was killed is there'
says '^words' 'all of it'
says '^lost\+found|[ ]lost\+found' 'the root file system is on the disk'
grep -q "I/O error, dev vda, sector $((page * 8)) op 0x0:(READ)" said && grep -q "I/O error, dev vda, sector $((page * 8)) op 0x1:(WRITE)" said
result $? 'sectors that can be neither read nor written are errors to Linux'
says '^the page before is read' 'and only these'
dd if=disk.img of=partition bs=1M skip=1 count=62 status=none
e2fsck -fn partition >check 2>&1
result $? 'the file system is whole'
[ "$(debugfs -R 'cat /root/words' partition 2>/dev/null)" = more ]
result $? 'what the second run wrote is in the file'
plan
