/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32 of IEEE 802.3. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Continues a sum, which begins with UINT32_MAX, and of which the complement is the CRC. */
static inline uint32_t crc32(uint32_t sum, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        sum ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
    }
    return sum;
}
