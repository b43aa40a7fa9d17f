#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bad_images.sh LINTEL KERNEL: images that were damaged after they were made: each a clear error at boot, nothing half-started.
lintel=$1 kernel=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/bochs/broken.bash
. "$here/broken.bash"

MEMORY_MB=256
CPU=corei7_skylake_x

# refused NAME PATTERN ISO: the hypervisor stops and says why, and no VM is started.
refused()
{
    boot_image "$3" $CPU $MEMORY_MB 30
    says "^lintel: stopped: .*($2)" "$1: the hypervisor says what is wrong"
    ! grep -q '^ok 1' said
    result $? "$1: no VM runs"
}

# change FILE PLACE: bad.iso is the good image with another file in one place.
change()
{
    rm -rf bad.iso tree
    cp -r good tree
    cp "$1" "tree/boot/$2"
    make_image tree bad.iso
}

# damaged NAME PATTERN FILE PLACE
damaged()
{
    change "$3" "$4"
    refused "$1" "$2" bad.iso
}

# unpack ISO FILE...: good has these files of the image, and what each has.
unpack()
{
    local file iso=$1
    shift
    rm -rf good
    for file in grub/grub.cfg lintel-hypervisor plan monitor "$@"; do
        mkdir -p "good/boot/$(dirname "$file")"
        xorriso -osirrox on -indev "$iso" -extract "/boot/$file" "good/boot/$file" >xorriso.log 2>&1
        chmod u+w "good/boot/$file"
    done
}

describe "$kernel" 64M
"$lintel" image vm.yaml -o good.iso --end bochs >said 2>&1
result $? "the image is made"
boot_image good.iso $CPU $MEMORY_MB 30
says '^lintel: end: 1 VMs, 0 faults$' "the image boots as it is"

unpack good.iso file-0 file-1

head -c 5000 "$kernel" >short
damaged 'a kernel that was cut' 'truncated|size' short file-0
{ printf 'X'; tail -c +2 good/boot/plan; } >bad-plan
damaged 'a plan that is none' 'plan' bad-plan plan
head -c 1000 good/boot/plan >bad-plan
damaged 'a plan that was cut' 'plan' bad-plan plan
head -c 1000 /dev/zero >zeros
damaged 'a monitor that is none' 'image of' zeros monitor

# A plan in which the second VM has the first one's partition.
cat >vm.yaml <<END
host: {memory: 256M, disks: [{name: d0, driver: ata}]}
vms:
  - {name: one, kernel: $kernel, memory: 16M, disk: {on: d0, partition: one}}
  - {name: two, kernel: $kernel, memory: 16M, disk: {on: d0, partition: two}}
END
"$lintel" image vm.yaml -o shared.iso --end bochs >said 2>&1
result $? "an image with two VMs on two partitions is made"
cp -r good alone
unpack shared.iso file-0 file-1 file-2
sed 's/lintel-two/lintel-one/' good/boot/plan >bad-plan
damaged 'two VMs that write to one partition' "plan: channels . and . are about the same partition 'lintel-one' of d0" bad-plan plan
rm -rf good
mv alone good

describe "$kernel" 600M 1024M
"$lintel" image vm.yaml -o large.iso --end bochs >said 2>&1
result $? "an image for a larger machine is made"
refused 'more memory than the machine has' 'memory' large.iso

# The right size, but no kernel: only the monitor can know, and stops its VM.
head -c "$(stat -c %s "$kernel")" /dev/zero >zeros
change zeros file-0
boot_image bad.iso $CPU $MEMORY_MB 30
says '^lintel: vm test: stopped for a fault: .*kernel' "a kernel that is none: the monitor says so"
says '^lintel: end: 1 VMs, 1 faults$' "a kernel that is none: the hypervisor ends in good order"

# The hypervisor itself: where it handles an exit, an instruction that does not exist (UD2).
break_at good/boot/lintel-hypervisor exit_io
change broken lintel-hypervisor
boot_image bad.iso $CPU $MEMORY_MB 30
says '^lintel: panic: #UD in the hypervisor' "a hypervisor that breaks: it panics"
# place AT|FROM FUNCTION NAME: the first such address of the panic is in the function.
place()
{
    local address
    address=$(sed -nE "s/^lintel:   $1 +([0-9a-f]{16})\$/\1/p" said | head -1)
    [ "$(addr2line -fe broken "$address" | head -1)" = "$2" ]
    result $? "$3"
}
place at exit_io "a panic tells where"
place from exit_dispatch "a panic tells who called"
says '^lintel:   rax [0-9a-f]{16} rbx ' "a panic shows the registers"
says '^lintel:   guest RIP +[0-9a-f]{16}$' "a panic shows the VMCS by its fields' names"
says '^lintel:   exit reason: I/O instruction$' "a panic tells the exit's reason in words"
! grep -q '^lintel: end' said
result $? "a hypervisor that breaks ends nothing in good order"
plan
