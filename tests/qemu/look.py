#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""look.py BEFORE AFTER FIRST SECTORS [all|edge]: the file of a disk on which client.c or, with `all`, verify.c has run. Its partition
(sectors from FIRST on) holds what the client wrote last, and everything outside of it, and what the client left alone, is as it was."""

import os
import struct
import sys

SECTOR = 512
WRITTEN = 32 * 256  # STRIPES * STRIPE
LAST = 0x7777
MASK = (1 << 64) - 1
WORDS = struct.Struct("<64Q")
STEPS = [(i * 0x94D049BB133111EB + LAST * 0xBF58476D1CE4E5B9) & MASK for i in range(64)]


def sector(number):
    """What word() in client.c gives for all words of a sector."""
    base = number * 0x9E3779B97F4A7C15
    return WORDS.pack(*[(base + step) & MASK for step in STEPS])


def is_written(number, sectors):
    """Whether a sector of the partition was."""
    if "all" in sys.argv:
        return 0 <= number < sectors
    return 0 <= number < WRITTEN or ("edge" in sys.argv and number == sectors - 1)


def main():
    first, sectors = map(int, sys.argv[3:5])
    if os.path.getsize(sys.argv[1]) != os.path.getsize(sys.argv[2]):
        sys.exit("the file has another size")
    wrong = []
    with open(sys.argv[1], "rb") as before, open(sys.argv[2], "rb") as after:
        for number, (old, new) in enumerate(zip(iter(lambda: before.read(SECTOR), b""), iter(lambda: after.read(SECTOR), b""))):
            expected = sector(number - first) if is_written(number - first, sectors) else old
            if new != expected:
                wrong.append(number)
    if wrong:
        print(f"{len(wrong)} sectors of the file are wrong, the first one is {wrong[0]}, the partition begins at {first}")
    return bool(wrong)


sys.exit(main())
