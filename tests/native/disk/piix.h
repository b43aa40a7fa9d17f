/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated IDE controller with bus-master DMA and one disk, written from the specifications. It
 * fails the test where its driver does what is not allowed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PIIX_MEDIUM 4096u /* sectors that it stores: a disk of more has them again and again */

extern struct piix {
    /* What it is; piix_new() sets an ordinary disk. */
    uint64_t sectors;
    bool lba48, flush_ext, no_dma, large_sectors;
    bool absent; /* nothing answers */
    bool packet; /* a CD */
    /* What it does wrong. */
    bool stays_busy; /* from its next reset on */
    bool silent;     /* no command ends */
    bool bus_fails;
    bool ends_early; /* before all was moved, and without an error */
    bool flush_fails;
    bool faults; /* DF in place of ERR */
    bool no_interrupt;
    uint64_t bad_sector;
    /* What it was told. */
    uint8_t command;
    uint64_t sector;
    uint32_t count;
    unsigned pieces; /* of the last transfer */
    unsigned flushes, resets, commands;
    uint8_t data[PIIX_MEDIUM * 512];
} piix;

/* Sets the process's ports too. */
void piix_new(void);
/* It is at work for somebody else: a read to physical memory that would end with time. */
void piix_predecessor(uint64_t physical);
/* Time: what waits for it ends. */
void piix_work(void);
