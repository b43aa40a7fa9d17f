/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that are not emulated. Between an exit and the fetch for its emulation another vCPU
 * may write to the code: what is fetched then is not what made the guest exit, and the processor
 * can do it, as the INT3 that Linux writes where it changes its code. So the guest takes the
 * instruction again, and exits again if it was that one. Only what is refused again and again is
 * refused for good.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/decode.h"

/* The last of a vCPU; at first all 0. */
struct refused {
    uint64_t linear;
    uint8_t bytes[DECODE_MAX_LENGTH];
    uint64_t first; /* TSC, of as many in a row: */
    unsigned times;
};

#define REFUSED_TIMES 100

/* Takes down one more, at that TSC; bytes that could not be read are 0. True: it is refused for
 * good, as the same bytes there have been REFUSED_TIMES in a row, within `most` ticks. */
bool refused_for_good(struct refused *r, uint64_t linear, const uint8_t bytes[DECODE_MAX_LENGTH],
                      uint64_t tsc, uint64_t most);
