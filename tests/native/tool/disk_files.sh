#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# disk_files.sh LINTEL ROOT: the files of emulated disks: what `lintel check` says of them, and what `lintel run` makes of one
# that is missing, as TAP. In place of the emulators stand scripts.
. "$(dirname "$0")/common.bash"
mkdir tmp bin
export TMPDIR=$work/tmp PATH=$work/bin:$PATH:/usr/sbin:/sbin

make_kernel kernel
for program in ATA NVME HYPERVISOR MONITOR; do
    make_program "lintel-$program"
    export "LINTEL_$program=$work/lintel-$program"
done

cat >bin/bochs <<'E1'
#!/bin/bash
# The stand-in: the script $SCENE plays the machine, and then says that all went well.
[ "$1" != --help ] || exit 0
port=$(sed -n 's/^com1:.*127.0.0.1:\([0-9]*\)$/\1/p' bochsrc)
exec 3<>/dev/tcp/127.0.0.1/$port
printf 'lintel: it starts\r\n' >&3
. "$SCENE"
printf 'lintel: end: 1 VMs, 0 faults\r\n' >&3
E1
chmod +x bin/*
export SCENE=$work/scene

# write_description DISK VM-DISK...: a description with one disk d, on line 1, and a VM from line 3 for each VM-DISK.
write_description()
{
    local number=0 disk
    printf 'host: {disks: [{name: d, %s}]}\nvms:\n' "$1"
    shift
    for disk; do
        printf '  - {name: vm%s, kernel: kernel, memory: 26M, disk: %s}\n' $((number++)) "$disk"
    done
}

# file NAME CODE PATTERN [VM-DISK]: what check says of the file disk.img and a VM on it.
size=', size: 16M'
file()
{
    write_description "driver: ata, file: disk.img$size" "${4:-{on: d, partition: root\}}" >disk.yaml
    description "$1" "$2" "$3" <disk.yaml
}
FILE='^vm.yaml:1:45: host\.disks\[0\]\.file: disk\.img'

# run NAME CODE PATTERN [OPTION...]: runs vm.yaml with the scene on standard input.
run()
{
    local name=$1 code=$2 pattern=$3
    shift 3
    cat >scene
    expect "run: $name" "$code" "$pattern" timeout 30 "$lintel" run --on bochs vm.yaml "$@"
}

nothing_left()
{
    [ -z "$(ls tmp)" ] && ! ls disk.img* >/dev/null 2>&1
    result $? "$1"
}

# --- a file that is missing
file 'a disk to be made' 0 good
nothing_left 'check makes nothing'
size=''
file 'a missing disk without a size' 3 "$FILE is not there; add 'size', such as size: 64M"
size=', size: 2M'
file 'a disk without room for a partition' 3 "$FILE is too small for its partitions and their table, which need 3M; raise 'size'"
size=', size: 16M'
file 'a disk without room for what is to be in it' 3 "$FILE is too small .* which need 18M" '{on: d, size: 16M}'
size=', size: 4000T'
file 'a disk that the file system has no room for' 3 "$FILE cannot be made: the file system of \. has no room for 4000T"
size=', size: 16M'
write_description 'driver: ata, file: nowhere/disk.img, size: 16M' '{on: d}' >disk.yaml
description 'a disk in no folder' 3 "disks\[0\]\.file: nowhere/disk.img cannot be made: nowhere: No such file or directory; name" <disk.yaml
write_description "driver: ata, file: disk.img$size}, {name: e, driver: nvme, file: disk.img$size" '{on: d}' >disk.yaml
description 'two disks on a file' 3 "disks\[1\]\.file: disk.img is the file of 'd' already; give each disk its own" <disk.yaml

# --- a file system that is full, or becomes so
# small COMMAND: a script's line, where `small` is a file system of 8 MiB that ends with it. It says what is left there.
small()
{
    unshare -rm bash -c "mount -t tmpfs -o size=8M none small || exit; $1"'; code=$?; ls small; exit $code' small "$lintel"
}
mkdir small
if unshare -rm mount -t tmpfs none small 2>/dev/null; then
    write_description 'driver: ata, file: small/disk.img, size: 16M' '{on: d}' >vm.yaml
    for command in check 'run --on bochs'; do
        expect "$command: no room for the disk" 3 'small/disk.img cannot be made: the file system of small has no room for 16M' \
            small "\$1 $command vm.yaml"
        ! grep -q '^disk.img' said
        result $? "$command: nothing is made there"
    done
    write_description 'driver: ata, file: small/disk.img, size: 6M' '{on: d}' >vm.yaml
    : >scene
    expect 'check: no more room for what can be written' 3 'file system of small/disk.img has no room for all that can be written' \
        small '$1 run --on bochs vm.yaml; head -c 4M /dev/zero >small/other; $1 check vm.yaml'
    grep -qx disk.img said
    result $? 'the disk was made while there was room'
else
    echo '# no file system can be made here: a full one is not tried'
fi

# --- contents
truncate -s 9M large
file 'contents that have no room' 3 'vms\[0\]\.disk\.contents: large has 9M, and the partition 8M; raise its' '{on: d, size: 8M, contents: large}'
file 'contents that have room' 0 good '{on: d, size: 9M, contents: large}'
printf 'begin' >contents
printf 'end' | dd of=contents bs=1 seek=2097149 status=none
write_description 'driver: ata, file: disk.img, size: 16M' '{on: d, size: 4M}' '{on: d, size: 2M, contents: contents}' >vm.yaml
run 'contents of a partition' 0 'putting contents into the partition lintel-vm1' </dev/null
cmp -s <(dd if=disk.img bs=1M skip=5 count=2 status=none) contents
result $? 'they are where the second partition is'
sfdisk --json disk.img | tr -d ' ,' | grep -qx '"start":10240'
result $? 'which the table says, too'
rm -f disk.img
export XDG_CACHE_HOME=$work/cache
for program in mmdebstrap fakeroot; do
    printf '#!/bin/sh\necho %s: no network\nexit 1\n' $program >bin/$program
    chmod +x bin/$program
done
write_description 'driver: ata, file: disk.img, size: 16M' '{on: d, contents: "debian:udev"}' >vm.yaml
run 'a Debian that cannot be made' 4 'mmdebstrap: no network' </dev/null
nothing_left 'nothing is left of its disk'
ls cache/lintel/root.?????? cache/lintel/root-* >/dev/null 2>&1
[ $? != 0 ]
result $? 'nor of the Debian'
cat >bin/mmdebstrap <<'E1'
#!/bin/sh
for archive; do :; done
echo mmdebstrap >>"$TMPDIR/../calls"
mkdir -p "$TMPDIR/root/etc" && echo once >"$TMPDIR/root/etc/made" && tar -cf "$archive" -C "$TMPDIR/root" . && rm -r "$TMPDIR/root"
E1
printf '#!/bin/sh\nexec "$@"\n' >bin/fakeroot
for number in 1 2; do
    rm -f disk.img
    run "a Debian, disk $number" 0 'putting debian:udev into the partition lintel-vm0' </dev/null
    dd if=disk.img of=partition bs=1M skip=1 count=14 status=none
    e2fsck -fn partition >said 2>&1 && [ "$(debugfs -R 'cat /etc/made' partition 2>/dev/null) $(debugfs -R 'cat /etc/hostname' partition 2>/dev/null)" = 'once vm0' ]
    result $? 'it is a file system with what the archive has, and the name of its VM'
done
[ "$(wc -l <calls)" = 1 ]
result $? 'the second disk gets what was made for the first'
rm -f disk.img bin/mmdebstrap bin/fakeroot
mkdir only
for program in bash cat env grep mformat mkdir readlink rm sed sh timeout xorriso; do
    ln -s "$(command -v $program)" only
done
M='^vm.yaml:[0-9:]* vms\[0\]\.disk\.contents: a Debian for a disk is made by mmdebstrap and fakeroot, which are missing; install these packages'
expect 'check: no mmdebstrap' 4 "$M" env PATH="$work/bin:$work/only" "$lintel" check vm.yaml
PATH=$work/bin:$work/only run 'no mmdebstrap' 4 "$M" </dev/null
nothing_left 'nothing is left of its disk then'
write_description 'driver: ata, file: disk.img, size: 16M' '{on: d, contents: contents}' >vm.yaml
PATH=$work/bin:$work/only run 'contents that cannot be copied' 4 'contents could not be put into the partition lintel-vm0' </dev/null
nothing_left 'nothing is left of its disk either'

# --- what the emulator cannot have
write_description 'driver: nvme, file: disk.img, size: 16M' '{on: d}' >vm.yaml
run 'a driver that Bochs has no disk for' 3 'disk d: Bochs has no disk for the driver nvme; use ata, or --on qemu-kvm' </dev/null
write_description 'driver: ata' '{on: d}' >vm.yaml
expect 'check: a disk without a file is good' 0 good "$lintel" check vm.yaml
run 'a disk without a file' 3 "disk d: an emulated machine needs a file for it; add 'file' and 'size'" </dev/null
nothing_left 'nothing is made then'

# --- making fails
write_description 'driver: ata, file: disk.img, size: 16M' '{on: d, partition: root, size: 4M}' '{on: d}' >vm.yaml
printf '#!/bin/sh\necho no space left on device\nexit 1\n' >bin/sfdisk
chmod +x bin/sfdisk
run 'sfdisk fails' 4 'no space left on device' </dev/null
nothing_left 'nothing is left of a disk that could not be made'
rm bin/sfdisk
expect 'run: a file may not be so large' 4 'disk.img: File too large' bash -c "ulimit -f 1024; '$lintel' run --on bochs vm.yaml"
nothing_left 'nothing is left of that'
printf '#!/bin/sh\nkill $(cat tool.pid)\nsleep 5\n' >bin/sfdisk
chmod +x bin/sfdisk
bash -c 'echo $$ >tool.pid; exec "$0" run --on bochs vm.yaml' "$lintel" >said 2>&1 </dev/null
[ $? = 143 ]
result $? 'run: a signal ends it'
nothing_left 'nothing is left of a disk that was being made'
rm bin/sfdisk

# --- a run makes the disk
run 'makes the disk' 0 '^lintel: making the disk disk\.img$' --keep kept <<'E1'
[ "$(readlink disk-0)" = "$(realpath ../disk.img)" ] && printf here | dd of=disk-0 bs=1M seek=1 conv=notrunc status=none
E1
grep -qx 'ata0-master: type=disk, path=disk-0, mode=flat' kept/bochsrc &&
    grep -qx 'ata1-master: type=cdrom, path=lintel.iso, status=inserted' kept/bochsrc
result $? 'Bochs gets the disk, and the CD-ROM on the other channel'
[ "$(stat -c %s disk.img)" = 16777216 ] && [ "$(stat -c %b disk.img)" -lt 2048 ]
result $? 'the disk has its size, but takes little room'
[ "$(sfdisk -d disk.img | sed -n 's/^disk.img[12] : start= *\([0-9]*\), size= *\([0-9]*\),.*name="\(.*\)"/\1 \2 \3/p')" = \
    "2048 8192 lintel-root
10240 20480 lintel-vm1" ]
result $? 'its partitions are those of the VMs; who gives no size gets the rest'
sfdisk --verify disk.img 2>&1 | grep -q 'No errors detected'
result $? 'sfdisk finds no error in its tables'
ls disk.img* >said
[ "$(cat said)" = disk.img ]
result $? 'nothing else is left beside it'
cp disk.img made.img
run 'uses the disk that is there' 0 '^lintel: starting bochs' <<'E1'
printf 'it has %s\r\n' "$(dd if=disk-0 bs=1M skip=1 count=1 status=none | head -c 4)" >&3
E1
grep -q '^it has here$' said && ! grep -q making said && cmp -s disk.img made.img
result $? 'what was written is there, and nothing else has changed'
run 'its disk is in use' 0 'host.disks\[0\]\.file: .*disk.img is in use by another run; end that, or give this one another file' <<E1
"$lintel" check ../../vm.yaml >&3 2>&1
E1
sed -i 's/file: disk.img/file: "-a, b = c.img"/' vm.yaml
run 'a disk with a name that has a meaning for emulators' 0 '^lintel: making the disk -a, b = c.img$' </dev/null
sed -i 's/{on/{read-only: yes, on/' vm.yaml
run 'a disk that is only read' 0 starting --keep kept <<'E1'
"$lintel" check ../vm.yaml >../only-read 2>&1
E1
grep -qx 'ata0-master: type=disk, path=disk-0, mode=volatile' kept/bochsrc
result $? 'Bochs does not write to it'

printf 'vms:\n  - {name: a, kernel: kernel, memory: 26M}\n' >vm.yaml
run 'no disk' 0 starting --keep kept </dev/null
grep -qx 'ata0-master: type=cdrom, path=lintel.iso, status=inserted' kept/bochsrc && [ "$(grep -c ^ata kept/bochsrc)" = 1 ]
result $? 'without a disk the CD-ROM is where it always was'

truncate -s 3200M ram.img
make_program lintel-ram
export LINTEL_RAM=$work/lintel-ram
printf 'host: {memory: 8G}\nvms:\n  - {name: a, kernel: kernel, memory: 26M, disk: {file: ram.img, read-only: yes}}\n' >vm.yaml
run 'more than lies below the devices' 4 "^lintel: the VMs' files are more than an emulated machine's [0-9]* MiB below its devices" </dev/null

# --- a file that is there: each begins as it was made
# changed NAME CODE PATTERN [VM-DISK]: after the command on standard input has changed disk.img
changed()
{
    cp made.img disk.img
    . /dev/stdin
    file "$@"
}
changed 'a disk that is there' 0 good </dev/null
changed 'a file without a table' 3 "$FILE has no partition table \(GPT\) that can be used: there is none; remove the file" <<'E1'
truncate -s 0 disk.img
truncate -s 16M disk.img
E1
changed 'a damaged table' 3 "$FILE has a damaged partition table \(its header's checksum is wrong\) and a good copy" <<'E1'
put disk.img $((512 + 56)) 'x'
E1
changed 'a damaged table of a disk that is only read' 0 'disk.img: its partition table is damaged \(its header.s checksum' \
    '{on: d, partition: root, read-only: yes}' <<'E1'
put disk.img $((512 + 56)) 'x'
E1
changed 'a damaged table and copy' 3 "$FILE has no partition table \(GPT\) that can be used: its entries' checksum is wrong" <<'E1'
put disk.img $((1024 + 60)) 'x'
put disk.img $((16777216 - 33 * 512 + 60)) 'x'
E1
changed 'a truncated file' 3 "$FILE has 8M, not 16M; correct 'size', or remove the file" <<'E1'
truncate -s 8M disk.img
E1
size=''
changed 'a truncated file, without a size' 3 "$FILE has no partition table .* it is for a larger disk" <<'E1'
truncate -s 8M disk.img
E1
changed 'a file of half a sector' 3 "$FILE has 1000 bytes, no whole number of sectors of 512; remove" <<'E1'
truncate -s 1000 disk.img
E1
changed 'an empty file' 3 "$FILE has 0 bytes, no whole number of sectors" <<'E1'
: >disk.img
E1
changed 'a folder' 3 "$FILE: Is a directory; name the image of a disk" <<'E1'
rm disk.img
mkdir disk.img
E1
rmdir disk.img
changed 'a device' 3 "$FILE: Not a regular file" <<'E1'
rm disk.img
ln -s /dev/zero disk.img
E1
rm disk.img
changed 'a lock of Bochs' 3 "$FILE is in use by a Bochs, or was .* if none runs, remove disk\.img\.lock" <<'E1'
: >disk.img.lock
E1
rm disk.img.lock
P='^vm.yaml:3:[0-9]*: vms\[0\]\.disk'
changed 'no such partition' 3 "$P.*'lintel-other' in disk.img: no partition has this label; write that of one that is there" \
    '{on: d, partition: other}' </dev/null
changed 'two such partitions' 3 "$P.*'lintel-vm1' in disk.img: two partitions have this label" '{on: d, partition: vm1}' <<'E1'
sfdisk -q --part-label disk.img 1 lintel-vm1
E1
changed 'a partition without the prefix' 3 "$P.*'lintel-root' in disk.img: no partition has this label" <<'E1'
sfdisk -q --part-label disk.img 1 root
E1
changed 'a partition of another size' 3 "$P.*'lintel-root' in disk.img has 4M, not 8M; correct 'size'" \
    '{on: d, partition: root, size: 8M}' </dev/null

echo "1..$count"
