#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""look.py BEFORE AFTER FIRST SECTORS: the file of a disk on which client.c has run. Its partition (sectors from FIRST on) holds what
the client wrote last, and everything outside of it, and what the client left alone, is as it was."""

import struct
import sys

SECTOR = 512
WRITTEN = 32 * 256  # STRIPES * STRIPE
LAST = 0x7777
MASK = (1 << 64) - 1


def sector(number):
    """What client.c's word() gives for all words of a sector."""
    base = number * 0x9E3779B97F4A7C15 + LAST * 0xBF58476D1CE4E5B9
    return struct.pack("<64Q", *((base + i * 0x94D049BB133111EB) & MASK for i in range(64)))


def main():
    before, after = (open(name, "rb").read() for name in sys.argv[1:3])
    first, sectors = map(int, sys.argv[3:5])
    expected = bytearray(before)
    for number in [*range(WRITTEN), *([sectors - 1] if "edge" in sys.argv else [])]:
        at = (first + number) * SECTOR
        expected[at : at + SECTOR] = sector(number)
    if after == expected:
        return 0
    wrong = [i for i in range(len(before) // SECTOR) if after[i * SECTOR : (i + 1) * SECTOR] != expected[i * SECTOR : (i + 1) * SECTOR]]
    print(f"{len(wrong)} sectors of the file are wrong, the first one is {wrong[:1]}, the partition begins at {first}")
    return 1


sys.exit(main())
