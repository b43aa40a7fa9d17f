/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work whose pace is known: what share of the CPU does who does it get (docs/bounds.md)? For
 * kernels and for processes.
 *
 * A chunk of work takes as many TSC ticks as it does when nothing interrupts it, which is found out
 * by shorter ones. So many chunks as end within a window, wherever it begins, are the share of that
 * window; in the emulator, whose TSC counts instructions, of the machine's instructions.
 */
#pragma once

#include <stdint.h>

#define PACE_CHUNKS 10000

/* Does it all; TSC ticks that it took. */
uint64_t pace_work(void);

/* After that: the ticks of a chunk. */
uint64_t pace_chunk(void);

/* Thousandths of the worst window of so many ticks. The first chunks do not count: others may still
 * be starting. */
uint64_t pace_least_share(uint64_t window);
