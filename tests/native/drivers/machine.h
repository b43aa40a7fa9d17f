/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a disk's device file finds around it: the process's DMA area and a guest's memory with their
 * physical addresses, time, a medium behind the simulated device, and the server that hears of what
 * has ended. The device itself is each test's own.
 */
#ifndef TESTS_DRIVERS_MACHINE_H
#define TESTS_DRIVERS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/disk.h"

#define DMA_PHYSICAL    0x7ff00000ULL
#define DMA_SIZE        0x40000ULL
#define MEMORY_PHYSICAL 0x180000000ULL
#define REGION          0x40000u /* bytes of memory for each tag */
#define AREA            0x400u   /* sectors of the medium for each tag */
#define MEDIUM_SECTORS  (DISK_DEPTH * AREA)
#define TSC_KHZ         1000u

/* The device: registers by their offset in a window, and time that goes on. */
uint32_t device_read(unsigned window, uint64_t offset);
void device_write(unsigned window, uint64_t offset, uint32_t value);
void device_tick(void);
/* Ends some of the commands under way, in an order of its own. */
void device_work(void);

extern struct process_info info;
extern struct disk disk;
extern uint8_t medium[MEDIUM_SECTORS][BLOCK_SECTOR];
extern uint64_t bad_sector; /* of the medium; UINT64_MAX: none */
extern unsigned flushes;    /* of the medium */
extern uint64_t now;        /* the TSC */
extern char said[256];      /* the last line of the log; empty: none */

enum ended { NOT_YET, GOOD, BAD };
extern enum ended ended[DISK_DEPTH];
extern unsigned ended_count;

/* A new machine, with info, and the medium and the memory filled. */
void machine_new(unsigned windows, uint64_t window_size);
/* No command is under way, none has ended, and nothing was said. */
void machine_forget(void);
/* The bytes at a physical address. Fails the test if the device may not reach all of them. */
uint8_t *machine_memory(uint64_t physical, uint64_t size);
uint32_t machine_random(uint32_t below);

/* Copies between sectors of the medium and memory. False: a sector is bad, or there is none. */
bool medium_copy(bool write, uint64_t sector, uint64_t physical, uint32_t bytes);
bool medium_has(uint64_t sector, uint64_t sectors);

/* A command for a tag's own region and area, with random runs for BLOCK_READ and BLOCK_WRITE. */
void command_make(struct disk_command *c, unsigned tag, enum block_op op);
/* Submits it, and notes what the memory holds; the check looks at what an end should have left. */
void command_submit(unsigned tag, const struct disk_command *c);
void command_check(unsigned tag);

/* That many commands of all kinds that the disk can, as many at once as it takes, each checked. */
void machine_exercise(unsigned commands);
/* Has the device work until everything that was submitted has ended. */
void machine_drain(void);

#endif
