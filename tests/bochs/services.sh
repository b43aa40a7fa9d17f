#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# services.sh LINTEL SERVICES.YAML CPU: a web server in one VM, and in another a client that checks what it gets; nobody types, and both
# switch themselves off.
lintel=$1 services=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

timeout 530 "$lintel" run --on bochs --time $start_time --timeout 500 --cpu "$cpu" "$services" >said 2>&1 </dev/null
code=$?
says '^\[client\] All of [0-9]{7} bytes are right\.$' 'the client has what the server has'
says '^\[web\] Nobody wants anything more\.$' 'the server is told that this was all'
says '^lintel: vm client: powered off' 'the client switches itself off'
says '^lintel: vm web: powered off' 'and so does the server'
[ $code = 0 ]
result $? 'the run ends well'
plan
