/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations performed by the CPU's own instructions: a guest gets what its CPU does, also where
 * the SDM leaves flags or a register undefined. Bits of operands above the size mean nothing.
 */
#pragma once

#include <stdint.h>

#include "monitor/decode.h"

/* BSF, BSR, TZCNT, LZCNT or POPCNT of `source`; the whole register after it, of which `reg` is what
 * was in it. */
uint64_t native_scan(enum operation operation, uint64_t reg, uint64_t source, unsigned size,
                     uint64_t *rflags);

/* ROL to SAR. */
uint64_t native_shift(enum operation operation, uint64_t value, uint8_t count, unsigned size,
                      uint64_t *rflags);

/* SHLD or SHRD, which shift in bits of `from`. */
uint64_t native_shift_double(enum operation operation, uint64_t value, uint64_t from, uint8_t count,
                             unsigned size, uint64_t *rflags);

/* ANDN, BEXTR, BZHI, PDEP, PEXT, and BLSR, BLSMSK, BLSI, which have no `other`: that is the
 * register that VEX names. 4 or 8 bytes. */
uint64_t native_bits(enum operation operation, uint64_t memory, uint64_t other, unsigned size,
                     uint64_t *rflags);

/* CRC32: `value` has `size` bytes. */
uint32_t native_checksum(uint32_t sum, uint64_t value, unsigned size);
