#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# hostile_net.sh LINTEL CPU VICTIM HOSTILE TABLE ECHO: a victim that talks with the kernel ECHO and, on the same network, each hostile
# guest of the rows HOSTILE_NET of guests/hostile.def: no frame of theirs is lost, and the victim keeps its share of the CPU
# (docs/bounds.md).
lintel=$1 cpu=$2 victim=$(realpath "$3") hostile=$(realpath "$4") table=$(realpath "$5") echo=$(realpath "$6") option=
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/bochs/hostile.bash
. "$here/hostile.bash"

read_rows HOSTILE_NET

# beside ROW SHARE [PROMISE]: the victim shall have so many thousandths of the CPU; a promise is keys of a VM.
beside()
{
    cat >vm.yaml <<END
host:
  memory: 256M
  networks: [{name: lan}]
vms:
  - {name: victim, kernel: $victim, memory: 16M, cmdline: "$2", networks: [{on: lan}]${3:+, $3}}
  - {name: echo, kernel: $echo, memory: 16M, cmdline: echo, networks: [{on: lan}]}
  - {name: hostile, kernel: $hostile, memory: 16M, cmdline: $1, networks: [{on: lan}]}
END
    outlasts "beside $1${3:+, with $3}" lan hostile echo
}

# The victim goes on taking what it is sent, which is its own work, and comes as bursts of strangers' frames where these may.
# With a promise that is nothing to the victim.
for row in "${rows[@]}"; do
    case $row in
    net_segments) beside "$row" 420 ;;
    net_flood | net_sources) beside "$row" 440 ;;
    *) beside "$row" 450 ;;
    esac
done
beside net_flood 680 'budget: 7ms'
plan
