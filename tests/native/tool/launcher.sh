#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# launcher.sh ROOT: what ./lintel does before the tool runs, as TAP. In place of dpkg, apt, Meson and Ninja stand scripts that
# write down what they are asked for.
set -u

root=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export WORK=$work TMPDIR=$work/tmp MISSING='' FAIL='' USER_ID=0 INPUT=/dev/null
mkdir -p bin tree/tests tmp
cp "$root/lintel" tree/lintel
cp "$root"/tests/*.py tree/tests
count=0

# Nothing but these programs: whether this machine has sudo must not matter.
for program in sh bash cat chmod cut dirname env find flock grep mkdir mktemp nproc readlink realpath rm sed sleep tail touch xargs; do
    ln -s "$(command -v $program)" bin/$program
done
ln -s "$(python3 -c 'import sys; print(sys.executable)')" bin/python3
stand_in()
{
    { echo '#!/bin/bash'; cat; } >"bin/$1"
    chmod +x "bin/$1"
}
stand_in dpkg-query <<'E1'
for word; do case " -W -f $MISSING " in *" $word "*) ;; *) echo "ii  $word" ;; esac; done
E1
stand_in apt-get <<'E1'
echo "apt-get $*" >>"$WORK/calls"
[ "$FAIL" != apt-get ] || { echo 'no network'; exit 100; }
E1
stand_in id <<'E1'
echo "$USER_ID"
E1
stand_in meson <<'E1'
case " $* " in
*" --list "*)
    echo 'lintel:native / a'
    [ ! -e "$WORK/more" ] || echo 'lintel:native / b'
    exit
    ;;
esac
[ "$1" = introspect ] || echo "meson $*" >>"$WORK/calls"
case $1 in
introspect)
    printf '[%s, %s, %s]' '{"name": "idle", "suite": ["lintel:bochs"]}' '{"name": "timer idle", "suite": ["lintel:bochs"]}' \
        '{"name": "tool_cli", "suite": ["lintel:native"]}'
    exit
    ;;
test)
    printf '{"name": "a", "result": "OK", "stdout": "ok 1\\nok 2", "command": []}\n' >"$3/meson-logs/testlog.json"
    exit
    ;;
esac
mkdir -p "$2/tool" "$2/meson-logs"
sleep 0.3
touch "$2/build.ninja"
printf '#!/bin/sh\necho "tool: $*"\n[ "$2" != - ] || cat\nexit 3\n' >"$2/tool/lintel"
chmod +x "$2/tool/lintel"
E1
stand_in ninja <<'E1'
case $* in *' -n '*) [ ! -e "$2/made" ] || echo 'ninja: no work to do.'; exit ;; esac
echo "ninja ${*:3}" >>"$WORK/calls"
[ "$FAIL" != ninja ] || { echo 'x.c:1: error'; exit 1; }
touch "$2/made"
E1

# launch COMMAND...: runs it; `said` is what it said, `calls` what it called, `code` how it ended.
launch()
{
    : >calls
    PATH=$work/bin "$@" >said 2>&1 <"$INPUT"
    code=$?
}

# expect NAME CODE SAID CALLS: patterns of lines; the last one '' for no call at all.
expect()
{
    count=$((count + 1))
    if [ $code = "$2" ] && grep -qE -- "$3" said &&
        { if [ -n "$4" ]; then grep -qE -- "$4" calls; else ! [ -s calls ]; fi; }; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        sed 's/^/# /' said calls
        echo "# code $code"
    fi
}

launch tree/lintel check 'a b'
expect 'the first run sets up the build' 3 '^tool: check a b$' "^meson setup $work/tree/build $work/tree -Dtests=false$"
expect 'and builds what a command needs' 3 '' '^ninja product$'
launch tree/lintel run
expect 'the second run does no work twice' 3 '^tool: run$' ''
ln -s ../tree/lintel tmp/link
launch tmp/link run
expect 'a link finds the tree' 3 '^tool: run$' ''
mv tree moved
launch moved/lintel run
expect 'a tree that was moved is set up anew' 3 '^tool: run$' "^meson setup $work/moved/build $work/moved -Dtests=false$"

mv moved tree
: >calls
PATH=$work/bin tree/lintel run >other 2>&1 </dev/null &
PATH=$work/bin tree/lintel run >said 2>&1 </dev/null
code=$?
wait
[ "$(grep -c '^meson setup' calls)$(grep -c '^ninja' calls)" = 11 ] && grep -q '^tool: run$' other || code=other
expect 'of two at once, one sets it up anew and builds' 3 '^tool: run$' '^meson setup'

# Root could write anywhere.
somebody=()
[ "$(id -u)" != 0 ] || somebody=("$(command -v setpriv)" --reuid=65534 --regid=65534 --clear-groups)
chmod 755 "$work"
chmod 666 calls
chmod -w tree/build
launch "${somebody[@]}" tree/lintel run
expect 'a built tree works where it cannot be written' 3 '^tool: run$' ''
chmod +w tree/build
rm tree/build/made
chmod -w tree/build
launch "${somebody[@]}" tree/lintel run
expect 'and what is to be built has its remedy' 4 '^lintel: there is something to build: put the source tree' ''
chmod +w tree/build
rm -r tree/build
touch tree/build
launch tree/lintel run
expect 'a tree that cannot be written' 4 '^lintel: put the source tree where this user can write' ''
rm tree/build
FAIL=ninja launch tree/lintel run
expect 'a build that fails is shown' 4 '^x.c:1: error$' '^ninja product$'
launch tree/lintel bench nothing
expect 'no such benchmark, which nothing is built for' 2 '^lintel: no such benchmark: nothing; there are msr, ' ''
mkdir tree/bench
printf '#!/bin/sh\necho "exits on ${LINTEL_BENCH_CPU:-all}, $LINTEL_BUILD"\n' >tree/bench/exits
chmod +x tree/bench/exits
launch tree/lintel bench exits
expect 'a benchmark' 0 "^exits on all, $work/tree/build$" '^ninja all$'
launch tree/lintel bench exits skylake
expect 'a benchmark on one model' 0 '^exits on skylake, ' ''

launch tree/lintel test -x
expect 'the tests take names, not options' 3 '^tool: test -x$' ''
launch tree/lintel test
expect 'with the first test the tests are built' 0 '^2 passed, 0 failed$' "^meson setup $work/tree/build $work/tree --reconfigure -Dtests=true$"
launch tree/lintel test
[ "$(cat calls)" = "meson test -C $work/tree/build --no-rebuild" ] || code=calls
expect 'and once only' 0 '^2 passed, 0 failed$' '^meson test'
touch more
launch tree/lintel test
expect 'tests that Meson did not come to' 1 '^2 passed, 1 failed$' '^meson test'
rm more
launch tree/lintel test idle
expect 'a test by its name' 0 '^2 passed, 0 failed$' '^meson test .* --no-rebuild idle$'
launch tree/lintel test 'idle timer' 'tool_*' tool_cli
expect 'tests by their words' 0 '' '^meson test .* --no-rebuild timer idle tool_cli$'
launch tree/lintel test bochs
expect 'a suite' 0 '' '^meson test .* --no-rebuild idle timer idle$'
launch tree/lintel test nothing
expect 'no such test' 2 "^lintel: no such test: nothing; 'meson test -C $work/tree/build --list' shows them$" ''

# Of several logs, one last line; what does not come to its plan has failed.
mkdir -p logs
printf 'ok 1 - a\nnot ok 2 - b\n1..2\n' >logs/other.tap
printf 'ok 1 - a\n' >logs/cut.tap
launch python3 tree/tests/summary.py tree/build/meson-logs/testlog.json logs/other.tap logs/cut.tap
[ "$(tail -n 1 said)" = '4 passed, 2 failed' ] || code=line
expect 'logs are counted together' 1 '^--- cut: it did not come to its plan' ''

# The other Debian: who may not make it is told so, and nothing has failed.
USER_ID=1000 launch "$root/.ci/debian13" logs
expect 'a Debian 13 that only root can make' 0 '^No Debian 13 is made here: only root can\.$' ''

# What running does not need is not installed for it.
for package in libcmocka-dev libzydis-dev mandoc clang-format-19 cloc mmdebstrap ovmf seabios grub-common xorriso mtools; do
    MISSING=$package launch tree/lintel run --on bochs
    expect "run goes without $package" 3 '^tool: run --on bochs$' ''
    MISSING=$package launch tree/lintel test
    expect "test wants $package" 0 '^2 passed, 0 failed$' "^apt-get .* install .* $package$"
done
MISSING='ovmf seabios' launch tree/lintel run --firmware=ovmf
expect "run wants the firmware that is named" 3 '^tool: run --firmware=ovmf$' '^apt-get .* install -y --no-install-recommends ovmf$'

for row in '3 image vm.yaml -o vm.iso' '3 run --firmware seabios' '3 run --on qemu-kvm' '0 bench exits'; do
    # shellcheck disable=SC2086
    MISSING=xorriso launch tree/lintel ${row#* }
    expect "${row#* } wants what writes images" "${row%% *}" '^lintel: installing 1 packages: xorriso$' '^apt-get .* install .* xorriso$'
done

echo '      contents: debian:udev' >debian.yaml
MISSING=mmdebstrap launch tree/lintel run debian.yaml
expect "run wants what makes a Debian" 3 '^tool: run debian.yaml$' '^apt-get .* install -y --no-install-recommends mmdebstrap$'
INPUT=debian.yaml launch tree/lintel run -
expect "the description on the standard input is the tool's" 3 '^ *contents: debian:udev$' ''

MISSING=fdisk launch tree/lintel check
expect 'a missing package is installed' 3 '^lintel: installing 1 packages: fdisk$' '^apt-get .* install -y --no-install-recommends fdisk$'
MISSING=fdisk FAIL=apt-get launch tree/lintel check
expect 'what apt-get says is shown when it fails' 4 '^no network$' '^apt-get '
[ -z "$(find tmp -type f)" ] || code=leftover
expect 'and nothing is left' 4 '' '^apt-get '
MISSING=fdisk USER_ID=1000 launch tree/lintel check
expect 'not root, and no sudo' 4 '^lintel: packages are missing; as root: apt-get install fdisk$' ''
stand_in sudo <<'E1'
echo "sudo $*" >>"$WORK/calls"
[ "$1" = -v ] || exec "$@"
E1
MISSING=fdisk USER_ID=1000 launch tree/lintel check
expect 'sudo, after saying why' 3 '^lintel: these packages are missing; sudo apt-get install puts them .*: fdisk$' '^sudo env .*apt-get .* install'
rm bin/dpkg-query
launch tree/lintel check
expect 'no dpkg: what is missing is named' 4 "^  the emulator \(Debian's packages: bochs bochsbios vgabios\)$" ''

echo "1..$count"
