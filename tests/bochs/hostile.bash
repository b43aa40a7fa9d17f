# SPDX-License-Identifier: BSD-2-Clause
# What the tests with hostile guests share: the table's rows, a run to the victim's end, and its verdict. Sourced behind common.bash,
# with the CPU as `cpu`, the table guests/hostile.def as `table` and, maybe, a word for the hypervisor as `option`.
# shellcheck shell=bash disable=SC2154

# read_rows MACRO: those of the table with this macro are `rows`. Nobody types yet.
read_rows()
{
    : >typed
    mapfile -t rows < <(sed -n "s/^$1(\(.*\))\$/\1/p" "$table")
    [ ${#rows[@]} -gt 0 ]
    result $? "the table has rows"
}

# run CONSOLE: no hostile guest ends, so the run is over when the victim is. What is to be typed is in `typed`.
run()
{
    : >whole # the run before said its end in it
    timeout 60 "$lintel" run --on bochs --time $start_time --timeout 50 --cpu "$cpu" \
        --hypervisor-options "hide= console=$1${option:+ $option}" vm.yaml >whole 2>&1 <typed &
    local run=$!
    while kill -0 $run 2>/dev/null && ! grep -aqE '^lintel: vm victim: (powered|stopped)' whole; do
        sleep 0.2
    done
    kill $run 2>/dev/null
    wait $run 2>/dev/null
    sed 's/^\[victim\] //' whole >said
}

# The victim has come to its plan, and nothing in it failed.
passes()
{
    grep -q '^1\.\.' said && ! grep -qE '^not ok|^Bail out' said
}

# outlasts NAME PROCESS VM...: the victim's four tests are good, and neither this process nor one of these VMs has ended before.
outlasts()
{
    local name=$1 process=$2 vms
    shift 2
    vms=$(printf '\\|%s' "$@")
    run lines
    grep '^# ' said
    passes && [ "$(grep -c '^ok' said)" = 4 ] && ! grep -q "^lintel: vm \(${vms#??}\): \(powered\|stopped\)\|^lintel: process $process: stopped" whole
    result $? "$name"
}
