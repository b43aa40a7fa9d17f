# SPDX-License-Identifier: BSD-2-Clause
# The verdicts of several VMs on one console, each line with its VM's name in front (console=lines).
# Sourced after common.bash. shellcheck shell=bash

# vm_passes NAME STARTS: each of the VM's starts came to its plan, and no line of it is a failure; what fails is shown.
vm_passes()
{
    local plans
    plans=$(grep -acE "^\[$1\] 1\.\.[1-9][0-9]*$" said)
    if [ "$plans" = "$2" ] && ! grep -aqE "^\[$1\] (not ok|Bail out!)" said; then
        return 0
    fi
    grep -aE "^\[$1\] (not ok|#|Bail out!|1\.\.)" said | head -n 20 | sed 's/^/# /'
    return 1
}
