#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# snapshot_linux.sh LINTEL DEMO.YAML CPU: Linux at its shell is kept, and restored: it knows nothing of what it has done since, however
# much of its memory that was, and finds nothing amiss.
lintel=$1 yaml=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"
sed 's/^  - name: .*/&\n    snapshot: yes/' "$yaml" >vm.yaml
vm=$(sed -n 's/^  - name: //p' vm.yaml)

# await PATTERN: until a line of the run's output matches.
await()
{
    for _ in {1..600}; do
        grep -aqE -- "$1" said && return
        sleep 0.2
    done
    return 1
}

# types COMMAND PATTERN: what it says is found.
types()
{
    echo "$1" >&9
    await "$2"
}

# restores TIME: and the file is what it was.
restores()
{
    "$lintel" restore sock "$vm" >told 2>&1 && types "echo $1: \$(cat /tmp/file)" "^$1: first"
}

mkfifo typed
exec 9<>typed
timeout 280 "$lintel" run --on bochs --time "$start_time" --timeout 270 --cpu "$cpu" --control sock vm.yaml >said 2>&1 <typed &
run=$!
types 'stty -echo; PS1=; echo first >/tmp/file; echo it is $(cat /tmp/file)' '^it is first'
"$lintel" snapshot sock "$vm" >told 2>&1
result $? 'Linux is kept'
types 'echo second >/tmp/file; dd if=/dev/zero of=/tmp/much bs=1M count=4 2>/dev/null; echo it is $(cat /tmp/file), $(wc -c </tmp/much)' \
    '^it is second, 4194304'
result $? 'it goes on, and writes a thousand pages'
restores once
result $? 'restored, it has written nothing'
types 'ls /tmp; echo third >/tmp/file; sleep 1; echo it is $(cat /tmp/file)' '^it is third'
! grep -aq '^much' said && restores twice
result $? 'and again'
types 'dmesg | grep -ciE "stall|lockup|BUG:|unstable|time went" | sed "s/^/complaints: /"; poweroff -f' '^complaints: 0'
result $? 'it has nothing to complain of'
wait $run
result $? 'the run ends well'
plan
