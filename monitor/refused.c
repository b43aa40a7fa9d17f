/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/refused.h"

#include "lib/string.h"

bool refused_for_good(struct refused *r, uint64_t linear, const uint8_t bytes[DECODE_MAX_LENGTH],
                      uint64_t tsc, uint64_t most)
{
    if (r->times == 0 || r->linear != linear || tsc - r->first > most ||
        memcmp(r->bytes, bytes, sizeof(r->bytes)) != 0) {
        *r = (struct refused){.linear = linear, .first = tsc};
        memcpy(r->bytes, bytes, sizeof(r->bytes));
    }
    return ++r->times >= REFUSED_TIMES;
}
