#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# networks.sh LINTEL ROOT: what `lintel check` says of networks in a description, as TAP. Nothing is booted.
. "$(dirname "$0")/common.bash"

make_kernel kernel
make_program lintel-switch
export LINTEL_SWITCH=$work/lintel-switch

# vms NAME CODE PATTERN HOST VM...: the host's networks on line 1, and from line 4 on a VM on each of the lists VM.
vms()
{
    local name=$1 code=$2 pattern=$3
    { printf 'host: {networks: [%s]}\n\nvms:\n' "$4"
    shift 4
    local number=0 networks
    for networks; do
        printf '  - {name: vm%s, kernel: kernel, memory: 26M, networks: [%s]}\n' $((number++)) "$networks"
    done; } >networks.yaml
    description "$name" "$code" "$pattern" <networks.yaml
}

vms 'two VMs on a network' 0 'good: 2 VMs, 3 files' '{name: lan}' '{on: lan}' '{on: lan}'
vms 'addresses' 0 good '{name: lan}' '{on: lan, mac: "02:00:00:00:00:0A"}' '{on: lan, mac: "52:54:00:12:34:56"}'
vms 'a VM on four networks' 0 'good: 1 VM, 3 files' '{name: a}, {name: b}, {name: c}, {name: d}' \
    '{on: a}, {on: b}, {on: c}, {on: d}'
vms 'one address on two networks' 0 good '{name: a}, {name: b}' '{on: a, mac: "02:00:00:00:00:01"}' '{on: b, mac: "02:00:00:00:00:01"}'
vms 'a promise of the CPU' 0 '^lan: CPU 0: 500us in each 2000us, 25.0 %' '{name: lan, budget: 500us, period: 2ms}' '{on: lan}'
vms 'a VM on five networks' 3 '^vm.yaml:4:93: vms\[0\]\.networks\[4\]: a VM is on 4 networks at most' \
    '{name: a}, {name: b}, {name: c}, {name: d}, {name: e}' '{on: a}, {on: b}, {on: c}, {on: d}, {on: e}'
vms 'a home' 0 '^lan: CPU 2: nothing is promised' '{name: lan, cpu: 2}' '{on: lan}'
vms 'a card, where its switch is' 0 '^lan.nic: CPU 2: nothing is promised' '{name: lan, cpu: 2, nic: {driver: e1000}}' '{on: lan}'
vms 'a home that is none' 3 "^vm.yaml:1:36: host\.networks\[0\]\.cpu: '256' is no CPU; write a number from 0 to 255$" '{name: lan, cpu: 256}' '{on: lan}'
description "a home that is a VM's alone" 3 '^vm.yaml:1:36: host\.networks\[0\]\.cpu: vms\[0\] has CPU 1 alone; choose another' <<'E1'
host: {networks: [{name: lan, cpu: 1}]}
vms: [{name: a, kernel: kernel, memory: 26M, cpus: [1], alone: yes, networks: [{on: lan}]}]
E1
vms 'no name' 3 "^vm.yaml:1:19: host\.networks\[0\]: the key 'name' is missing" '{budget: 1ms}' '{on: lan}'
vms 'a name of other characters' 3 "^vm.yaml:1:26: host\.networks\[0\]\.name: 'l/n' is no name" '{name: l/n}' '{on: l/n}'
vms "a VM's name" 3 "^vm.yaml:1:26: host\.networks\[0\]\.name: there is a VM 'vm0' already; choose another" '{name: vm0}' '{on: vm0}'
vms 'a name twice' 3 "^vm.yaml:1:39: host\.networks\[1\]\.name: there is a disk or service 'lan' already; choose another" \
    '{name: lan}, {name: lan}' '{on: lan}'
vms 'a network that nobody names' 3 "^vm.yaml:1:39: host\.networks\[1\]\.name: no VM is on the network 'wan'; name it in" \
    '{name: lan}, {name: wan}' '{on: lan}'
vms 'a network that is not there' 3 "^vm.yaml:4:62: vms\[0\]\.networks\[0\]\.on: no entry of host\.networks is named 'wan'; name one" \
    '{name: lan}' '{on: wan}, {on: lan}'
vms 'no network' 3 "^vm.yaml:4:57: vms\[0\]\.networks\[0\]: the key 'on' is missing" '{name: lan}' '{mac: "02:00:00:00:00:01"}' '{on: lan}'
vms 'twice on a network' 3 "^vm.yaml:4:73: vms\[0\]\.networks\[1\]\.on: this VM is on 'lan' already; remove one" '{name: lan}' \
    '{on: lan}, {on: lan, mac: "02:00:00:00:00:01"}'
vms 'an unknown key' 3 "^vm.yaml:4:67: vms\[0\]\.networks\[0\]: unknown key 'mak'; did you mean 'mac'" '{name: lan}' '{on: lan, mak: x}'
for mac in 02:00:00:00:00 02:00:00:00:00:0g 02-00-00-00-00-01 02:00:00:00:00:01:02 02:00:00:00:00:; do
    vms "the address $mac" 3 "^vm.yaml:4:72: vms\[0\]\.networks\[0\]\.mac: '$mac' is no address; write for example 02:00" '{name: lan}' \
        "{on: lan, mac: \"$mac\"}"
done
for mac in ff:ff:ff:ff:ff:ff 01:00:5e:00:00:01 00:00:00:00:00:00; do
    vms "the address $mac" 3 "^vm.yaml:4:72: vms\[0\]\.networks\[0\]\.mac: '$mac' is no machine's address; the first byte of one is even" \
        '{name: lan}' "{on: lan, mac: \"$mac\"}"
done
vms 'an address twice' 3 "^vm.yaml:5:72: vms\[1\]\.networks\[0\]\.mac: vms\[0\] has the address 02:00:00:00:00:0a on 'lan' already; give" \
    '{name: lan}' '{on: lan, mac: "02:00:00:00:00:0a"}' '{on: lan, mac: "02:00:00:00:00:0A"}'
LINTEL_SWITCH=$work/nothing vms 'a switch that is not built' 4 '^vm.yaml:1:26: .* the program for it is not built' '{name: lan}' '{on: lan}'

# Cards.
make_program lintel-e1000
export LINTEL_E1000=$work/lintel-e1000
vms 'a card' 0 'good: 1 VM, 4 files' '{name: lan, nic: {driver: e1000}}' '{on: lan}'
vms 'two cards' 0 good '{name: lan, nic: {driver: e1000}}, {name: wan, nic: {driver: e1000, index: 1}}' '{on: lan}, {on: wan}'
vms 'a card for each of three networks' 3 "^vm.yaml:1:166: host\.networks\[3\]\.nic\.index: 'c.nic' has this one already; choose another" \
    '{name: a, nic: {driver: e1000}}, {name: b, nic: {driver: e1000, index: 2}}, {name: c, nic: {driver: e1000}}, {name: d, nic: {driver: e1000, index: 1}}' \
    '{on: a}, {on: b}, {on: c}, {on: d}'
vms 'a card by two networks' 3 "^vm.yaml:1:94: host\.networks\[1\]\.nic\.index: 'lan.nic' has this one already; choose another" \
    '{name: lan, nic: {driver: e1000}}, {name: wan, nic: {driver: e1000, index: 0}}' '{on: lan}, {on: wan}'
vms 'no driver' 3 "^vm.yaml:1:[0-9]+: host\.networks\[0\]\.nic: the key 'driver' is missing" '{name: lan, nic: {index: 1}}' '{on: lan}'
vms 'an unknown driver' 3 "^vm.yaml:1:[0-9]+: host\.networks\[0\]\.nic\.driver: 'rtl8139' is no driver; write e1000" \
    '{name: lan, nic: {driver: rtl8139}}' '{on: lan}'
vms 'a card that is no number' 3 "^vm.yaml:1:[0-9]+: host\.networks\[0\]\.nic\.index: 'one' is no number; write 0 for" \
    '{name: lan, nic: {driver: e1000, index: one}}' '{on: lan}'
vms 'a card below 0' 3 "^vm.yaml:1:[0-9]+: host\.networks\[0\]\.nic\.index: '-1' is no number; write 0 for" \
    '{name: lan, nic: {driver: e1000, index: -1}}' '{on: lan}'

# Ports that lead to a guest.
forwards()
{
    vms "$1" "$2" "$3" "{name: lan, nic: {driver: e1000, forward: [$4]}}" '{on: lan}'
}
F='^vm.yaml:1:62: host\.networks\[0\]\.nic\.forward\[0\]'
forwards 'ports' 0 good '22022:22, "22080:10.0.2.16:80"'
for word in 22 22: :22 2222:22:22 2222:a 2222:65536 0:22 2222:0 a:22 -1:22 2222::22 2222:22/udp 100000:1; do
    case $word in
    *:*:*) forwards "the ports $word" 3 "$F: '$word' names no guest; write for example 2222:10\.0\.2\.15:22" "'$word'" ;;
    *) forwards "the ports $word" 3 "$F: '$word' is no pair of ports; write for example 2222:22" "'$word'" ;;
    esac
done
for address in 10.0.3.15 10.0.2.256 10.0.2. 10.0.2.15.1.1.1.1.1; do
    forwards "the guest $address" 3 "$F: '2222:$address:22' names no guest; write" "'2222:$address:22'"
done
forwards 'a port twice' 3 '^vm.yaml:1:72: .*\.forward\[1\]: host\.networks\[0\]\.nic\.forward\[0\] has port 22022 already; choose another' \
    '22022:22, 22022:80'
forwards 'six ports' 3 '\.forward\[5\]: a card has at most 5 of these; remove the others' \
    '22021:1, 22022:2, 22023:3, 22024:4, 22025:5, 22026:6'
python3 -c 'import socket, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
time.sleep(60)' >taken &
until [ -s taken ]; do sleep 0.1; done
forwards 'a port that is taken' 3 "$F: port $(cat taken) of this machine is taken; choose another, or end who has it" "$(cat taken):22"
expect 'image: a port that is taken here' 4 'lintel-HYPERVISOR' \
    env LINTEL_HYPERVISOR="$work/lintel-HYPERVISOR" "$lintel" image -o x.iso vm.yaml
kill $!
if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 1 ] && setpriv --bounding-set=-net_bind_service true 2>/dev/null; then
    sed -i 's/[0-9]*:22\]/1:22]/' vm.yaml
    expect "check: root's port" 3 "$F: port 1 of this machine is root's; choose one from 1024 on" \
        setpriv --inh-caps=-net_bind_service --bounding-set=-net_bind_service "$lintel" check vm.yaml
fi

# The network that need not be described.
net()
{
    printf 'host: {networks: [%s]}\n\nvms:\n' "$4" >networks.yaml
    printf '  - {name: %s, kernel: kernel, memory: 26M, %s}\n' "${@:5}" >>networks.yaml
    description "$1" "$2" "$3" <networks.yaml
}
net 'the network of who runs it' 0 'good: 1 VM, 4 files' '' a 'net: user'
net 'the same in a list' 0 'good: 1 VM, 4 files' '{name: lan}' a 'networks: [{on: lan}, {on: user}]'
net 'one that is described' 0 'good: 1 VM, 3 files' '{name: lan}' a 'net: lan'
net 'user, described without a card' 0 'good: 1 VM, 3 files' '{name: user}' a 'net: user'
net 'one that is not there' 3 "^vm.yaml:4:49: vms\[0\]\.net: no entry of host\.networks is named 'wan'; .* or write user for" '{name: lan}' \
    a 'net: wan' b 'net: lan'
net 'both' 3 "^vm.yaml:4:49: vms\[0\]\.net: it has 'networks' as well; keep" '{name: lan}' a 'net: lan, networks: [{on: lan}]'
net "a VM's name for it" 3 "^vm.yaml:4:49: vms\[0\]\.net\.name: there is a VM 'user' already; choose another name" '' \
    a 'net: user' user 'net: user'
net 'the card that another network has' 0 'good: 1 VM, 4 files' '{name: lan, nic: {driver: e1000}}' a 'networks: [{on: lan}, {on: user}]'

LINTEL_E1000=$work/nothing vms 'a driver that is not built' 4 'the program for it is not built' '{name: lan, nic: {driver: e1000}}' '{on: lan}'

# An emulated machine has one card.
for program in HYPERVISOR MONITOR; do
    make_program "lintel-$program"
    export "LINTEL_$program=$work/lintel-$program"
done
mkdir bin
printf '#!/bin/sh\n' >bin/bochs
chmod +x bin/*
one_card()
{
    vms "$1, on some machine" 0 good "$3" "$4"
    expect "run: $1" 3 "host\.networks\[$2\]\.nic: an emulated machine has one network card; leave one 'nic' there, without" \
        env PATH="$work/bin:$PATH" timeout 30 "$lintel" run --on bochs vm.yaml
}
one_card 'two cards' 1 '{name: lan, nic: {driver: e1000}}, {name: wan, nic: {driver: e1000, index: 1}}' '{on: lan}, {on: wan}'
one_card 'the second card' 0 '{name: lan, nic: {driver: e1000, index: 1}}' '{on: lan}'

# The image has the program of the switches where there is a network, and not otherwise.
sizes()
{
    description "$1" 0 "good: 2 VMs, $2," <<E1
host: {networks: [$3]}
vms: [{name: a, kernel: kernel, memory: 26M$4}, {name: b, kernel: kernel, memory: 26M}]
E1
}
sizes 'no network, no switch' '2 files' '' ''
sizes 'a network, a switch' '3 files' '{name: lan}' ', networks: [{on: lan}]'

echo "1..$count"
