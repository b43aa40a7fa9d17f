# SPDX-License-Identifier: BSD-2-Clause
# What the tests with hostile guests share: a run to the victim's end, and its verdict. Sourced behind common.bash, with the CPU as
# `cpu` and, maybe, a word for the hypervisor as `option`.
# shellcheck shell=bash disable=SC2154

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
