/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoded instructions, kept. What decode() gives depends on the mode and the bytes alone, so that
 * the same bytes need no second look: nothing that a guest does makes an entry stale.
 */
#pragma once

#include "monitor/decode.h"

/* decode() with the same arguments and result; `bytes` from `count` on are 0. On DECODE_DONE
 * *instruction is valid until the next call. */
enum decode_result decode_cached(enum decode_mode mode, const uint8_t bytes[DECODE_BUFFER],
                                 size_t count, const struct instruction **instruction);
