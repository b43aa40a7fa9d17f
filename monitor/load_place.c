/* SPDX-License-Identifier: BSD-2-Clause */
/* The only writes of the loader that follow a file's size. */
#include "lib/string.h"
#include "monitor/load.h"

void load_place(uint8_t *to, uint64_t size, const uint8_t *bytes, uint64_t count)
{
    memcpy(to, bytes, count);
    memset(to + count, 0, size - count);
}
