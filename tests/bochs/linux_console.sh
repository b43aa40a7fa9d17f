#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# linux_console.sh LINTEL DEMO.YAML CPU: the demo with its shell on a virtio console: what is typed comes there, and long lines whole.
lintel=$1 yaml=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"
sed -E 's/console=ttyS0/& console=hvc0/; s/console: serial/console: virtio/' "$yaml" >vm.yaml

long=$(printf 'word%.0s ' {1..60})
cat >typed <<END
echo it is \$((6*7)) on \$(tty)
echo words \$(echo $long | wc -w)
for i in \$(seq 500); do echo \$i; done | md5sum
seq 500
echo to the UART >/dev/ttyS0
grep virtio /proc/interrupts
poweroff -f
END
timeout 290 "$lintel" run --on bochs --time "$start_time" --timeout 260 --cpu "$cpu" vm.yaml >said 2>&1 <typed
result $? 'the run ends well'
says '^it is 42 on /dev/hvc0' 'the shell is on the virtio console, and what is typed comes there'
says '^words 60' 'a line of 300 characters is whole'
says "^$(seq 500 | md5sum)" 'so is what is read'
[ "$(tr -d '\r' <said | grep -axE '[0-9]{1,3}')" = "$(seq 500)" ]
result $? 'and what is written: 500 lines, all in order'
says '^to the UART' 'the serial port still writes'
says '[1-9][0-9]* .*virtio[0-9]-output' 'by virtqueues'
plan
