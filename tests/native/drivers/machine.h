/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a disk's device file finds around it: the process's DMA area and a guest's memory with their
 * physical addresses, time, a medium behind the device, and the server that hears of what has
 * ended. The device is each test's own: simulated, or QEMU's (tests/qemu).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/disk.h"

#define DMA_PHYSICAL    0x7ff00000ULL
#define DMA_SIZE        0x40000ULL
#define MEMORY_PHYSICAL 0x180000000ULL
#define REGION          0x40000u /* bytes of memory for each tag */
#define MEMORY_SIZE     (DISK_DEPTH * REGION)
#define AREA            0x400u /* sectors of the medium for each tag */
#define MEDIUM_SECTORS  (DISK_DEPTH * AREA)
#define TSC_KHZ         1000u

/* The device: registers by their offset in a window. */
uint32_t device_read(unsigned window, uint64_t offset);
void device_write(unsigned window, uint64_t offset, uint32_t value);
/* Ends some of the commands under way, in an order of its own. */
void device_work(void);
/* Memory that the device reaches at this physical address, in the process at this one if it is not
 * NULL; filled with anything. */
void *device_map(void *at, uint64_t physical, size_t size);
/* What the device keeps: MEDIUM_SECTORS * BLOCK_SECTOR bytes. */
void *device_medium(void);

extern struct process_info info;
extern struct disk disk;
extern uint8_t (*medium)[BLOCK_SECTOR]; /* what the device keeps */
extern char said[256];                  /* the last line of the log; empty: none */

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

/* A command for a tag's own region and area, with random runs for BLOCK_READ and BLOCK_WRITE. */
void command_make(struct disk_command *c, unsigned tag, enum block_op op);
/* Submits it, and notes what the memory holds; the check looks at what an end should have left. */
void command_submit(unsigned tag, const struct disk_command *c);
void command_check(unsigned tag);

/* That many commands of all kinds that the disk can, as many at once as it takes, each checked. */
void machine_exercise(unsigned commands);
/* Has the device work until everything that was submitted has ended. */
void machine_drain(void);
