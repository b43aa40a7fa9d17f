# SPDX-License-Identifier: BSD-2-Clause
#
# traced.awk: what Bochs's debugger saw between the magic breakpoints of a guest, as CSV: medians of `runs` runs with one of
# something (a read, a frame), and of as many with `at_once`, for each of them; the first column is `where`, the second `one` or `many`.
# What has the guests' code segment is theirs. The steps of a REP are one instruction. Of one of something the last column has what was
# executed before the first crossing, between each two, and behind the last one.

/^\(0\) Magic breakpoint/ {
    if (inside)
        end_run()
    else
        begin_run()
    inside = !inside
}

!inside || !/^\(0\)\.\[/ || ($6 == "rep" && $3 == before) { next }

{ before = $3 }

$3 ~ /^0008:00000000/ {
    in_guest = 1
    next
}

{
    ring3 = $3 ~ /^...[37bf]:/
    instructions[ring3]++
    if (!in_guest && ring3 != was_ring3) {
        crossings++
        phases = phases phase " "
        phase = 0
    }
    phase++
    was_ring3 = ring3
    in_guest = 0
    exits += $6 == "vmresume" || $6 == "vmlaunch"
}

function begin_run()
{
    in_guest = 1
    instructions[0] = instructions[1] = exits = crossings = was_ring3 = phase = 0
    phases = ""
}

# Runs in the order of what they took.
function end_run(    all, i)
{
    all = instructions[0] + instructions[1]
    for (i = ++count; i > 1 && all < total[i - 1]; i--) {
        total[i] = total[i - 1]
        row[i] = row[i - 1]
    }
    total[i] = all
    row[i] = all "," instructions[0] "," instructions[1] "," exits "," crossings "," phases phase
    if (count == runs)
        print_median(measured++ ? at_once : 1)
}

function print_median(units,    figure, line, i)
{
    split(row[int((runs + 1) / 2)], figure, ",")
    for (i = 1; i <= 5; i++)
        line = line "," sprintf(i <= 3 || units == 1 ? "%.0f" : "%.1f", figure[i] / units)
    print where "," (units == 1 ? one : many) line "," (units == 1 ? figure[6] : "")
    count = 0
}

END { exit measured != 2 }
