#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# fuzz.sh BUILD CPU ROOT: what docs/fuzz.md of ROOT has the user type, word for word; each way in which an input can end, with the toy parser
# guests/fuzzed.c; that each ends the same way again, in any order; and who is left when the tool is killed or ended.
build=$(realpath "$1") lintel=$build/tool/lintel cpu=$2 root=$(realpath "$3")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"

ln -s "$build" build
ln -s "$lintel" lintel
cp -r "$root/examples" examples

# begin COMMAND...: a run, until its socket is there, and the machine answers.
begin()
{
    "$@" >whole 2>&1 </dev/null &
    run=$!
    for _ in {1..300}; do
        ./lintel ps demo.sock >said 2>&1 && return
        sleep 0.1
    done
}

end()
{
    kill $run
    wait $run
} 2>/dev/null

# The commands of the page: the run, with what a test adds to it, and then the others.
mapfile -t commands < <(sed -n 's/^\$ \(.*[^ ]\) *# .*/\1/p; s/^\$ \([^#]*\)$/\1/p' "$root/docs/fuzz.md")
[ ${#commands[@]} = 4 ] && [ "${commands[0]}" = './lintel run --control demo.sock examples/fuzz.yaml' ]
result $? 'the page has its commands'
begin timeout 300 ./lintel run --on bochs --cpu "$cpu" --time $start_time --timeout 290 --control demo.sock examples/fuzz.yaml
bash -c "${commands[1]}" >said 2>&1
code=$?
sed -n '/^name: done/,/^3 inputs/p' "$root/docs/fuzz.md" | diff - said >>said && [ $code = 0 ]
result $? "${commands[1]}"
bash -c "${commands[2]}" >said 2>&1
code=$?
cp said first
[ $code = 1 ] && [ "$(grep -c '^[0-9]*: ' said)" = 60 ] && grep -q '^[0-9]*: fault: the guest stopped at rip [0-9a-f]*: a triple fault' said &&
    [ "$(find found -type f | wc -l)" = "$(grep '^[0-9]*: ' said | grep -cv ': done ')" ]
result $? "${commands[2]}"
bash -c "${commands[3]}" >said 2>&1
code=$?
[ $code = 1 ] && grep '^[0-9]*: ' first | grep -v ': done ' | sort >before && grep '^[0-9]*: ' said | sort | diff before - >>said && [ -s before ]
result $? "${commands[3]}: each ends as before"
python3 "$root/tests/native/tool/schema.py" fuzz found.json >said 2>&1
result $? 'the JSON is as the schema has it'

# Each way to end. The name of `behind` has more bytes than the input: what is there was written by another input before, or not.
input()
{
    # shellcheck disable=SC2059
    printf "$2" >"in/$1"
}
mkdir in
input a-sum 's\003abc'
input b-overflow "n\\200$(printf 'A%.0s' {1..128})"
input c-wait 'w\000'
input d-off 'c\001o'
input e-reset 'c\001r'
input f-exit 'c\001e'
input g-panic 'c\001p'
input h-halt 'c\001h'
input i-empty ''
input j-long "s\\100$(printf 'A%.0s' {1..64})"
input k-behind 's\040a'
input l-sum 's\003abc'
mkdir in/folder
cat >wanted <<'END'
a-sum: done 294
b-overflow: fault: the guest stopped at rip : a triple fault
c-wait: time: it was not done with it after 300 ms (--limit)
d-off: power-off: the guest switched itself off
e-reset: reset: the guest reset itself
f-exit: exit: exit status 33
g-panic: fault: the guest's kernel says that it panicked (pvpanic)
h-halt: halt: the guest halts for ever, at rip
i-empty: done 0
j-long: done 4160
k-behind: done 97
l-sum: done 294
12 inputs: 5 were done, 7 were not
END
for time in once again; do
    ./lintel fuzz --limit 300 demo.sock parser in >said 2>&1
    code=$?
    cp said "said.$time"
    sed -E 's/(rip) ?[0-9a-f]*/\1/; s/rip:/rip :/; s/(triple fault): .*/\1/' "said.$time" | diff wanted - >>said && [ $code = 1 ]
    result $? "each way to end, $time"
done
diff said.once said.again >said
result $? 'is the same again, to the byte'
for name in l-sum k-behind h-halt b-overflow; do
    mkdir "one-$name" && cp "in/$name" "one-$name"
    ./lintel fuzz --limit 300 demo.sock parser "one-$name" 2>&1 | head -n 1
done >said
grep -E '^(l-sum|k-behind|h-halt|b-overflow): ' said.once | sort >before
sort said | diff before - >>said
result $? 'and in another order'

# Who is killed leaves a VM with an input; who is ended by a signal, one that is ready.
mkdir one-wait && cp in/c-wait one-wait
for signal in KILL TERM; do
    ./lintel fuzz --limit 3600000 demo.sock parser one-wait >said 2>&1 &
    tool=$!
    sleep 2
    kill -$signal $tool
    wait $tool 2>/dev/null
    ./lintel fuzz demo.sock parser one-l-sum >said 2>&1 && grep -q '^l-sum: done 294$' said
    result $? "the next one goes on behind one that got SIG$signal"
done
end
plan
