#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# disks.sh LINTEL ROOT: what `lintel check` says of disks in a description, as TAP. Nothing is booted.
. "$(dirname "$0")/common.bash"

make_kernel kernel
head -c 1M /dev/zero >ram.img
head -c 1000 /dev/zero >odd.img
for program in ATA AHCI NVME RAM; do
    make_program "lintel-$program"
    export "LINTEL_$program=$work/lintel-$program"
done

# host NAME CODE PATTERN DISKS: the VM is a, on the first line; the host's disks are DISKS, in YAML on line 2.
host()
{
    description "$1" "$2" "$3" <<E1
vms: [{name: a, kernel: kernel, memory: 26M}]
host: {disks: [$4]}
E1
}

# vm NAME CODE PATTERN DISK...: the disks d (16M, to be made) and e, and a VM from line 4 for each DISK, in YAML.
vm()
{
    local name=$1 code=$2 pattern=$3
    shift 3
    { printf 'host: {disks: [{name: d, driver: ata, file: d.img, size: 16M}, {name: e, driver: nvme}]}\n\nvms:\n'
    local number=0 disk
    for disk; do
        printf '  - {name: vm%s, kernel: kernel, memory: 26M, disk: %s}\n' $((number++)) "$disk"
    done; } >disk.yaml
    description "$name" "$code" "$pattern" <disk.yaml
}
A='^vm.yaml:4:52: vms\[0\]\.disk' B='^vm.yaml:5:52: vms\[1\]\.disk'

# --- the host's disks
host 'a disk of each kind' 0 good '{name: d, driver: ata}, {name: e, driver: ahci}, {name: f, driver: nvme}'
host 'several disks of a kind' 0 good '{name: d, driver: nvme}, {name: e, driver: nvme, index: 3}, {name: f, driver: nvme}'
host 'no list' 3 '^vm.yaml:2:16: host\.disks\[0\]: keys with values must be here' d
host 'no name' 3 "^vm.yaml:2:16: host\.disks\[0\]: the key 'name' is missing" '{driver: ata}'
host 'no driver' 3 "^vm.yaml:2:16: host\.disks\[0\]: the key 'driver' is missing" '{name: d}'
host 'a name of other characters' 3 "^vm.yaml:2:23: host\.disks\[0\]\.name: 'd/e' is no name" '{name: d/e, driver: ata}'
host 'a VM of that name' 3 "^vm.yaml:2:23: host\.disks\[0\]\.name: there is a VM 'a' already; choose another" '{name: a, driver: ata}'
host 'a disk of that name' 3 "^vm.yaml:2:47: host\.disks\[1\]\.name: there is a disk or service 'd' already; choose another" \
    '{name: d, driver: ata}, {name: d, driver: nvme}'
host 'an unknown driver' 3 "^vm.yaml:2:34: host\.disks\[0\]\.driver: 'scsi' is no driver; write ata, ahci or nvme" \
    '{name: d, driver: scsi}'
host 'a promise of the CPU' 0 '^d: CPU 0: 500us in each 2000us, 25.0 %' '{name: d, driver: ata, budget: 500us, period: 2ms}'
host 'a home' 0 '^d: CPU 3: nothing is promised' '{name: d, driver: ata, cpu: 3}'
host 'a home that is none' 3 "^vm.yaml:2:44: host\.disks\[0\]\.cpu: 'much' is no CPU" '{name: d, driver: ata, cpu: much}'
description "a home that is a VM's alone" 3 '^vm.yaml:2:44: host\.disks\[0\]\.cpu: vms\[0\] has CPU 1 alone; choose another' <<'E1'
vms: [{name: a, kernel: kernel, memory: 26M, cpus: [1], alone: yes}]
host: {disks: [{name: d, driver: ata, cpu: 1}]}
E1
host 'a promise that is none' 3 "^vm.yaml:2:47: host\.disks\[0\]\.budget: '1s' is no time from 250us to 100ms" '{name: d, driver: ata, budget: 1s}'
host 'more than can be promised' 3 '^vm.yaml:2:85: host\.disks\[1\]\.budget: with this one 95.0 % of CPU 0 are promised' \
    '{name: d, driver: ata, budget: 5ms}, {name: e, driver: nvme, budget: 4500us}'
host 'two disks by ata' 3 '^vm.yaml:2:58: host\.disks\[1\]\.driver: a machine has one disk by ata; use ahci or nvme' \
    '{name: d, driver: ata}, {name: e, driver: ata}'
host 'an index that is none' 3 "^vm.yaml:2:47: host\.disks\[0\]\.index: '1a' is no number" '{name: d, driver: nvme, index: 1a}'
host 'an index below 0' 3 "^vm.yaml:2:47: host\.disks\[0\]\.index: '-1' is no number; write 0 for the first of its kind" '{name: d, driver: nvme, index: -1}'
host 'an index twice' 3 "^vm.yaml:2:72: host\.disks\[1\]\.index: 'd' has this one already; choose another" \
    '{name: d, driver: nvme}, {name: e, driver: nvme, index: 0}'
host 'a size without a unit' 3 "^vm.yaml:2:59: host\.disks\[0\]\.size: '64' is no size in MiB; write for example 64M or 4G" \
    '{name: d, driver: nvme, file: d.img, size: 64}'
many=$(printf '{name: d%s, driver: nvme}, ' 0 1 2 3 4 5 6 7 8)
host 'too many disks' 3 '^vm.yaml:2:[0-9]*: host\.disks\[8\]\.name: one process more than fit; 8 disks' "${many%, }"
LINTEL_NVME=$work/nothing host 'a driver that is not built' 4 '^vm.yaml:2:23: .* the program for it is not built' \
    '{name: d, driver: nvme}'
make_program lintel-large
put lintel-large 104 '\001\000\000\001'
LINTEL_NVME=$work/lintel-large host 'a driver that is too large' 4 '^vm.yaml:2:23: .* takes more than 16 MiB of memory; build again' \
    '{name: d, driver: nvme}'
LINTEL_NVME=$lintel host 'a driver that is no image' 4 '^vm.yaml:2:23: .* is no 64-bit ELF executable; build again' \
    '{name: d, driver: nvme}'

# --- the VMs' disks
vm 'a partition' 0 good '{on: d, partition: root, size: 8M, read-only: no}'
vm 'the partition with the name of the VM' 0 good '{on: d}'
vm 'a RAM disk' 0 'good: 1 VM, 6 files' '{file: ram.img}'
vm 'a RAM disk that is only read' 0 good '{file: ram.img, read-only: yes}'
vm 'two VMs on a partition that both only read' 0 good '{on: d, partition: p, size: 4M, read-only: yes}' \
    '{on: d, partition: p, read-only: yes}'
vm 'two VMs on two partitions' 0 good '{on: d}' '{on: d}'
vm 'a word' 3 "$A: keys with values must be here" d
vm 'nowhere' 3 "$A: it is nowhere; add 'on', a disk of host\.disks, or 'file'" '{size: 8M}'
vm 'both' 3 "$A: it is both 'on' a disk and a 'file'; keep" '{on: d, file: ram.img}'
vm 'an unknown disk' 3 "^vm.yaml:4:57: vms\[0\]\.disk\.on: no entry of host\.disks is named 'x'; name one that is there, or add it" '{on: x}'
vm 'an unknown key' 3 "^vm.yaml:4:60: vms\[0\]\.disk: unknown key 'partitoin'; did you mean 'partition'" '{on: d, partitoin: x}'
vm 'a label of other characters' 3 "vms\[0\]\.disk\.partition: 'a b' is no name" '{on: d, partition: a b}'
vm 'a label with its prefix' 3 "vms\[0\]\.disk\.partition: .* begins with 'lintel-' anyway; write 'root'" \
    '{on: d, partition: lintel-root}'
vm 'a long label' 3 "vms\[0\]\.disk\.partition: 'x*' has 30 characters; at most 29 fit" \
    "{on: d, partition: $(printf 'x%.0s' {1..30})}"
vm 'neither yes nor no' 3 "vms\[0\]\.disk\.read-only: 'maybe' is not possible; write yes or no" '{on: d, read-only: maybe}'
vm 'a partition of an odd size' 3 "vms\[0\]\.disk\.size: '100K' is no size in MiB" '{on: d, size: 100K}'
vm 'two VMs that write to a partition' 3 "$B: vms\[0\] has the partition 'lintel-p' of 'd' already, and that one writes to it" \
    '{on: d, partition: p}' '{on: d, partition: p}'
vm 'one that reads and one that writes' 3 "$B: vms\[0\] has the partition .* this one writes to it; give each VM its own" \
    '{on: d, partition: p, read-only: yes}' '{on: d, partition: p}'
vm 'two sizes of a partition' 3 'vms\[1\]\.disk\.size: vms\[0\] gives the same partition another size' \
    '{on: d, partition: p, read-only: yes, size: 4M}' '{on: d, partition: p, read-only: yes, size: 5M}'
vm 'a RAM disk with a partition' 3 'vms\[0\]\.disk\.partition: a RAM disk has no partitions' '{file: ram.img, partition: p}'
vm 'a RAM disk with a size' 3 'vms\[0\]\.disk\.size: a RAM disk has no partitions, and the size and contents of its file' \
    '{file: ram.img, size: 1M}'
vm 'a RAM disk without its file' 3 'vms\[0\]\.disk\.file: nothing: No such file' '{file: nothing}'
vm 'a RAM disk of half a sector' 3 'vms\[0\]\.disk\.file: odd.img has 1000 bytes, no whole number of sectors of 512' \
    '{file: odd.img}'
truncate -s 1G large.img
vm 'a large RAM disk' 3 'vms\[0\]\.disk\.file: large.img is too large for a RAM disk that is written to: 1024 MiB, with its table' \
    '{file: large.img}'
vm 'contents of a partition' 0 good '{on: d, contents: ram.img}'
mkdir bin
printf '#!/bin/sh\n' | tee bin/mmdebstrap >bin/fakeroot
chmod +x bin/*
PATH=$work/bin:$PATH vm 'a Debian' 0 good '{on: d, contents: "debian:systemd-sysv,g++"}'
vm 'a Debian without a package' 3 "vms\[0\]\.disk\.contents: 'debian:' names no Debian packages; write them with commas" \
    '{on: d, contents: "debian:"}'
for list in udev, ,udev 'a b' -o 'a;b' UDEV; do
    vm "no package: $list" 3 "vms\[0\]\.disk\.contents: 'debian:$list' names no Debian packages" "{on: d, contents: 'debian:$list'}"
done
vm 'contents that are not there' 3 'vms\[0\]\.disk\.contents: nothing: No such file or directory; name the image of a file system' \
    '{on: d, contents: nothing}'
vm 'a RAM disk with contents' 3 'vms\[0\]\.disk\.contents: a RAM disk has no partitions' '{file: ram.img, contents: ram.img}'
vm 'contents of what another VM has' 3 'vms\[1\]\.disk\.contents: vms\[0\] has the same partition; write its contents there' \
    '{on: d, partition: p, read-only: yes, contents: ram.img}' '{on: d, partition: p, read-only: yes, contents: ram.img}'
vm 'a large RAM disk that is only read' 0 good '{file: large.img, read-only: yes}'

echo "1..$count"
