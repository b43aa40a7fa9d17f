#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""fuzz.py COUNT FILE...: inputs for lintel fuzz --next: a file in which one to three bytes have become others. Which, a fixed seed
decides. A file that made the guest say something new is one more to begin with."""
import random
import sys

chance = random.Random(1)
files = [open(name, 'rb').read() for name in sys.argv[2:]]
heard = set()
for _ in range(int(sys.argv[1])):
    data = bytearray(chance.choice(files))
    for _ in range(chance.randint(1, 3)):
        data[chance.randrange(len(data))] = chance.choice(b'\0\1\2\x20\x7f\xffcnsw')
    sys.stdout.buffer.write(b'%d\n' % len(data) + data)
    sys.stdout.flush()
    how = sys.stdin.readline()  # 'done 294', or 'fault: ...'
    if how.startswith('done') and how not in heard:
        files.append(bytes(data))
    heard.add(how)
