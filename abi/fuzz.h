/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that is fuzzed: what it says and asks by I/O ports, and the page of its memory in which
 * its monitor and lintel fuzz hear of each other. docs/fuzz.md says it in words.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The guest's ports, of 32 bits each: where inputs shall be put, a guest-physical address; */
#define FUZZ_BUFFER_PORT 0x520
/* how many bytes there are, at most: the guest is ready; */
#define FUZZ_ROOM_PORT 0x524
/* IN: FUZZ_GIVEN and the size of the input that is there; 0: none is yet; */
#define FUZZ_INPUT_PORT 0x528
/* it is done with the input, and this is the result: the OUT does not end. */
#define FUZZ_DONE_PORT 0x52c

#define FUZZ_GIVEN 0x80000000u

enum fuzz_state {
    FUZZ_NONE, /* the guest has not said that it is ready */
    FUZZ_READY,
    FUZZ_RUNS, /* it knows of the input */
    /* How that ended. The VM stands then, until it is restored. */
    FUZZ_DONE, /* `value` is the result */
    FUZZ_FAULT,
    FUZZ_RESET,
    FUZZ_HALT,
    FUZZ_POWER_OFF,
    FUZZ_EXIT, /* by isa-debug-exit; `value` is the status */
    FUZZ_STATE_COUNT
};

/* Guest-physical, where firmware would be. */
#define FUZZ_PAGE 0xf1000ULL
#define FUZZ_WHY  160

struct fuzz_page {
    uint32_t state; /* enum fuzz_state */
    uint32_t given; /* written by lintel fuzz, last: FUZZ_GIVEN and the size */
    uint32_t buffer, room;
    uint32_t value;
    char why[FUZZ_WHY]; /* of all ends but FUZZ_DONE: the line for people */
};
