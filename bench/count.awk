# SPDX-License-Identifier: BSD-2-Clause
#
# count.awk: what Bochs's debugger saw happen for each operation of guests/bench.c, as CSV.
#
# Input: the guest's rows ("OPERATION,INSTRUCTIONS", or "OPERATION" alone, whose instructions of the host are counted here), then
# the debugger's output with instructions and memory accesses between the magic breakpoints. The guest marks `marked` runs of each
# operation; of these the leanest is counted, because a timer of the host may fall into one. What has the guest's code segment is
# the guest's; the rest is the host's, its ring by CS.

FNR == NR {
    operation[++operations] = $0
    next
}

/^\(0\) Magic breakpoint/ {
    if (inside)
        end_run()
    else
        begin_run()
    inside = !inside
}

!inside { next }

/^\(0\)\.\[/ {
    if ($3 ~ /^0008:00000000/) {
        in_guest = 1
        next
    }
    instructions++
    ring3 = $3 ~ /^...[37bf]:/
    crossings += !in_guest && ring3 != was_ring3
    was_ring3 = ring3
    in_guest = 0
    rdmsr += $6 ~ /^rdmsr(list)?$/
    wrmsr += $6 ~ /^wrmsr(list)?$/
    exits += $6 == "vmresume" || $6 == "vmlaunch"
    vmread += $6 == "vmread"
    vmwrite += $6 == "vmwrite"
}

# Each entry is loaded by two reads, and stored by one write.
/; VMX LDMSR$/ { loaded += 0.5 }
/WR\].*; VMX STMSR$/ { stored++ }

function begin_run()
{
    in_guest = 1
    instructions = exits = crossings = rdmsr = wrmsr = vmread = vmwrite = loaded = stored = was_ring3 = 0
}

function end_run()
{
    if (runs++ % marked == 0 || instructions < least) {
        least = instructions
        counts = (operation[int((runs - 1) / marked) + 1] ~ /,/ ? "" : least ",") exits "," rdmsr "," wrmsr "," loaded "," stored "," vmread "," vmwrite "," crossings
    }
    if (runs % marked == 0)
        print subject "," operation[runs / marked] "," counts
}

END {
    if (runs != operations * marked) {
        print "count.awk: " runs " marked runs, but " operations " operations" >"/dev/stderr"
        exit 1
    }
}
