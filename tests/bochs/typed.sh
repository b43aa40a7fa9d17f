#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# typed.sh LINTEL KERNEL CPU: what a person types is heard by the guest (guests/echo.c), byte for byte and nothing else, whatever the
# pauses between the keys: some are as long as those after which a 16550 tells of what it has received. The emulated second has
# instructions enough for that to be about a millisecond of the person's time.
lintel=$1 kernel=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 16M
cat >type.py <<'END'
import os, pty, random, select, sys, time

LINES = ["line %02d" % n for n in range(100)] + ["bye"]
said = b""
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])

def listen(seconds):
    global said
    end = time.monotonic() + seconds
    while select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
        try:
            said += os.read(terminal, 4096)
        except OSError:
            return False
    return True

while b"# ready" not in said and listen(1):
    pass
for byte in "".join(line + "\r" for line in LINES).encode():
    os.write(terminal, bytes([byte]))
    listen(random.uniform(0, 0.01))
while listen(1):
    pass
open("said", "wb").write(said)
heard = [line.removeprefix("# heard ") for line in said.decode("latin-1").splitlines() if line.startswith("# heard ")]
for line, instead in zip(LINES, heard):
    if line != instead:
        print("# typed %r, heard %r" % (line, instead))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) or heard != LINES)
END
timeout 150 python3 type.py "$lintel" run --on bochs --time "$start_time" --timeout 120 --ips 200000000 --cpu "$cpu" vm.yaml
result $? 'the guest hears what is typed, and nothing else'
plan
