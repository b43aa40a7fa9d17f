/* SPDX-License-Identifier: BSD-2-Clause */
/* A device file for tests of the server: a disk that does what it is told, when it is told. */
#pragma once

#include "drivers/disk.h"

#define FAKE_SECTORS 1024u
#define FAKE_LOG     4096u

extern struct fake_disk {
    struct disk is;
    bool absent;
    bool holds;  /* commands stay under way until fake_end */
    bool silent; /* and their ends are not told by an interrupt */
    bool refuses;
    uint64_t bad_sector;
    uint8_t data[FAKE_SECTORS * BLOCK_SECTOR];
    unsigned started, resets;
    /* What it was given. */
    unsigned count;
    struct disk_command log[FAKE_LOG];
    bool under_way[DISK_DEPTH];
    struct disk_command command[DISK_DEPTH];
} fake;

/* An ordinary disk of FAKE_SECTORS. */
void fake_new(void);
/* Has it end a command, if it has not yet. */
void fake_end(unsigned tag);
unsigned fake_under_way(void);
