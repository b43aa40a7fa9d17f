/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that misbehaves as its name says, or that looks whether others do: process.def. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/process.h"

typedef void deed(void);

#define HOG(name)
#define GROUP(name, words)
#define DEED(name, pattern)         deed deed_##name;
#define EDGE(name, access, address) deed deed_##name;
#include "tests/bochs/evil/process.def"
#undef GROUP
#undef DEED
#undef EDGE
#undef HOG

/* Its own page; the first word of its DMA area outlives it: which row comes next. */
#define INFO     ((const struct process_info *)PROCESS_INFO)
#define NEXT_ROW ((volatile uint32_t *)PROCESS_DMA)

/* Says so in the log unless it holds. */
void expect(bool holds, const char *what);

/* Sleeps. */
void rest(uint64_t ms);

/* What a start finds in the registers, before any C: RAX and on in the order of numbers, RFLAGS,
 * and DS, ES, FS, GS. */
struct registers {
    uint64_t gpr[16], rflags;
    uint64_t segment[4];
};
extern struct registers registers_at_start __asm__("start"), registers_seen __asm__("seen");

/* Looks at all that it can see until all peers have ended, and says what it came to. */
_Noreturn void watch(void);

/* Counts its own work beside one that takes too much, and says whether it got its share. */
_Noreturn void work(void);

/* Takes too much, each way for a while, for ever. */
_Noreturn void take_too_much(void);
