# SPDX-License-Identifier: BSD-2-Clause
#
# document.awk: a page with its tables made anew from CSV files in `folder`; see `document`.

# Digits in groups of three.
function grouped(n,    i)
{
    n = n ""
    for (i = length(n) - 3; i > 0; i -= 3)
        n = substr(n, 1, i) "," substr(n, i + 1)
    return n
}

function next_row(name)
{
    return (getline < (folder "/" name ".csv")) > 0
}

# Begins a file, which must have a row of headings; they are then in the fields.
function begin(name)
{
    close(folder "/" name ".csv")
    shown[name ".csv"] = 1
    if (!next_row(name)) {
        print "docs/performance/" name ".csv is missing or empty" >"/dev/stderr"
        exit failed = 1
    }
}

function linux_boot(    machine, count, rows, i)
{
    begin("linux-boot")
    print "| machine | instructions | Lintel over it |\n|---|---:|---:|"
    while (next_row("linux-boot")) {
        machine[++rows] = $1
        count[rows] = $2
    }
    for (i = 1; i <= rows; i++)
        printf "| %s | %s | %.3f |\n", machine[i], grouped(count[i]), count[rows] / count[i]
}

function boot_cost()
{
    begin("boot-cost")
    print "| what | value |\n|---|---:|"
    while (next_row("boot-cost"))
        print "| " $1 " | " grouped($2) " |"
}

# What was traced: reads of a disk, frames.
function traced(file, where)
{
    begin(file)
    print "| " where " | what | instructions | in ring 0 | in ring 3 | exits of the guest | crossings | between them |\n|---|---|---:|---:|---:|---:|---:|---|"
    while (next_row(file))
        print "| " $1 " | " $2 " | " grouped($3) " | " grouped($4) " | " grouped($5) " | " $6 " | " $7 " | " $8 " |"
}

function tcp()
{
    begin("tcp")
    print "| from | what | ticks a MiB | kicks to send | kicks for room | frames |\n|---|---|---:|---:|---:|---:|"
    while (next_row("tcp"))
        print "| " $1 " | " $2 " | " grouped($3) " | " grouped($4) " | " grouped($5) " | " grouped($6) " |"
}

function idle()
{
    begin("idle")
    print "| reason | exits | in seconds | for each second |\n|---|---:|---:|---:|"
    while (next_row("idle"))
        printf "| %s | %s | %s | %.1f |\n", $1, grouped($2), $3, $2 / $3
}

# The rows of the cost model, and its prices by column of msr.csv.
function costs(print_them)
{
    begin("costs")
    if (print_them)
        print "| event | cycles | where from |\n|---|---:|---|"
    while (next_row("costs")) {
        price[$1] = $2
        if (print_them)
            print "| " $1 " | " grouped($2) " | " $3 " |"
    }
}

# The aims, with what was measured by Lintel and by its peer. MSR accesses: RDMSR, WRMSR and entries loaded and stored.
function aims(    count, verdict, traced_files, i)
{
    begin("exits")
    while (next_row("exits"))
        count["instructions", $1, $2] = $3
    split("disk net", traced_files, " ")
    for (i in traced_files) {
        begin(traced_files[i])
        while (next_row(traced_files[i]))
            count["instructions of the host", $1, $2] = $3
    }
    begin("msr")
    while (next_row("msr")) {
        count["instructions", $1, $2] = $3
        count["MSR accesses", $1, $2] = $5 + $6 + $7 + $8
    }
    begin("aims")
    print "| operation | on or with | what | at most | Lintel | | Linux KVM |\n|---|---|---|---:|---:|---|---:|"
    while (next_row("aims")) {
        verdict = count[$3, $2, $1] <= $4 ? "met" : "missed"
        print "| " $1 " | " $2 " | " $3 " | " grouped($4) " | " grouped(count[$3, $2, $1]) " | " verdict " | " \
            grouped(count[$3, "KVM", $1]) " |"
    }
}

# Empty: the operation does nothing that this view is about.
function cell(view,    sum, i)
{
    if (view == "accesses")
        return $5 + $6 + $7 + $8 ? $5 " / " $6 " / " $7 " / " $8 : ""
    if (view == "exits")
        return $4 ? $4 " / " $9 " / " $10 " / " $11 : ""
    if (view == "cycles") {
        sum = $3 * price["instruction"]
        for (i = 4; i <= NF; i++)
            sum += $i * price[heading[i]]
        return $2 !~ /deadline to handler/ && $4 ? grouped(sum) : ""
    }
    return grouped($3)
}

# A table of FILE's second column by its first; rows with nothing in them are left out, and of the view "differing" those that say the
# same of all.
function matrix(file, view,    columns, rows, column, row, value, seen, any, line, rule, c, r)
{
    begin(file)
    for (c = 1; c <= NF; c++)
        heading[c] = $c
    while (next_row(file)) {
        if (!(("column", $1) in seen))
            column[++columns] = $1
        if (!(("row", $2) in seen))
            row[++rows] = $2
        seen["column", $1] = seen["row", $2] = 1
        value[$1, $2] = cell(view)
        if (view != "differing" || value[$1, $2] != value[column[1], $2])
            any[$2] = any[$2] value[$1, $2]
    }
    line = "| operation |"
    rule = "|---|"
    for (c = 1; c <= columns; c++) {
        line = line " " column[c] " |"
        rule = rule "---:|"
    }
    print line "\n" rule
    for (r = 1; r <= rows; r++) {
        line = "| " row[r] " |"
        for (c = 1; c <= columns; c++)
            line = line " " value[column[c], row[r]] " |"
        if (any[row[r]] != "")
            print line
    }
}

/^<!-- table / {
    print
    split($0, word, " ")
    name = word[3]
    if (name == "linux-boot")
        linux_boot()
    else if (name == "boot-cost")
        boot_cost()
    else if (name == "idle")
        idle()
    else if (name == "disk")
        traced("disk", "driver")
    else if (name == "net")
        traced("net", "from")
    else if (name == "tcp")
        tcp()
    else if (name == "costs")
        costs(1)
    else if (name == "aims")
        aims()
    else if (name == "exits")
        matrix("exits", "instructions")
    else if (name == "smp")
        matrix("smp", "instructions")
    else if (name == "msr")
        matrix("msr", "instructions")
    else if (name == "msr-accesses")
        matrix("msr", "accesses")
    else if (name == "msr-exits")
        matrix("msr", "exits")
    else if (name == "msr-list")
        matrix("msr-list", "differing")
    else if (name == "msr-cycles") {
        costs(0)
        matrix("msr", "cycles")
    }
    inside = 1
    next
}

/^<!-- end -->/ { inside = 0 }
!inside
END {
    count = split(files, file, " ")
    for (i = 1; i <= count; i++)
        if (!(file[i] in shown)) {
            print "docs/performance/" file[i] " is in no table of the page" >"/dev/stderr"
            failed = 1
        }
    exit failed
}
