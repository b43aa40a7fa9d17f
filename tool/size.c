/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes of memory as people write them: see size.h. */
#include "tool/size.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What physical addresses of x86 reach at most (SDM, "Physical Address Space"): 52 bits. Sums of
 * sizes fit 64 bits, then. */
#define SIZE_MAX_BYTES (1ULL << 52)

static const char units[] = "KMGT";

bool size_parse(const char *word, uint64_t *bytes)
{
    char *rest;
    unsigned shift = 0;

    if (!isdigit((unsigned char)word[0]))
        return false;
    errno = 0;
    uint64_t number = strtoull(word, &rest, 10);
    if (errno)
        return false;
    if (*rest) {
        const char *unit = strchr(units, toupper((unsigned char)*rest));
        if (!unit || rest[1])
            return false;
        shift = 10 * (unsigned)(unit - units + 1);
    }
    if (number == 0 || number > SIZE_MAX_BYTES >> shift)
        return false;
    *bytes = number << shift;
    return true;
}

const char *size_text(uint64_t bytes, char buffer[static 24])
{
    unsigned unit = 0;

    while (unit < strlen(units) && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    snprintf(buffer, 24, "%" PRIu64 "%.1s", bytes, unit ? &units[unit - 1] : "");
    return buffer;
}
