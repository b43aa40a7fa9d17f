/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own lines: in the log ring (abi/log.h), for the console. While there is none,
 * and after a panic, they go to the serial port from here. There each starts with "lintel: " and
 * ends with CR LF.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "abi/log.h"
#include "lib/bits.h"

/* What the console gets at PROCESS_LOG: its own pages, and the ring. */
struct log_pages {
    struct log_reader reader __attribute__((aligned(PAGE_SIZE)));
    struct log_ring ring __attribute__((aligned(PAGE_SIZE)));
};
_Static_assert(offsetof(struct log_pages, ring) == LOG_READER_SIZE, "as abi/log.h has it");
extern struct log_pages log_pages;
extern struct log_ring *log_ring; /* that of log_pages, until log_move */

/* One line, of LOG_LINE_MAX bytes at most; or a record of another kind, or about a VM. It is lost
 * only where a console lets so much come together that what VMs leave free is used up. */
#define log_line(...) log_record(LOG_LINE, LOG_NO_VM, __VA_ARGS__)
void log_record(enum log_kind kind, uint8_t vm, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Bytes of the ring that processes may cause to be used, without the room that the lines of ours
 * have. */
size_t log_room(void);

/* From now on the ring is there, at LOG_RING_AT. Prints what is left there of the run before. */
void log_move(struct log_ring *to);

/* From now on the console prints, and is told by `grown` of each line. */
void log_hand_over(void (*grown)(void));
bool log_is_handed_over(void);

/* There is no console any more: prints what it has not given to the port, and what it has not read.
 */
void log_take_back(void);
