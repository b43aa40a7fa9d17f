/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's vector registers: the CPU holds them while its monitor runs (abi/gate.h). */
#pragma once

#include <stdint.h>

enum vector_kind {
    VECTOR_NONE,
    VECTOR_MMX,
    VECTOR_SSE,     /* a write leaves what is above 128 bits */
    VECTOR_AVX_128, /* a write clears it */
    VECTOR_AVX_256,
    VECTOR_KIND_COUNT
};

/* One register, in words of 8 bytes: as many as the kind has, of 4. The guest can use this kind of
 * instruction. */
void vector_read(enum vector_kind kind, unsigned number, uint64_t words[4]);
void vector_write(enum vector_kind kind, unsigned number, const uint64_t words[4]);
