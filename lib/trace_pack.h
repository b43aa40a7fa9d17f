/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a trace (abi/trace.h) on a slow line. Each differs little from the last one of its
 * kind: what is sent is how far back that one is, 0 for none, a bit for each byte that is another
 * than there, and these bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "abi/trace.h"

#define TRACE_PACK_HEAD 5u   /* bytes of a record at least, */
#define TRACE_PACK_MAX  37u  /* and at most */
#define TRACE_PACK_SEEN 200u /* records that one frame holds at most */

/* One frame, from its beginning on; all 0 at first. Both ends have one. */
struct trace_pack {
    unsigned count;
    struct trace_record seen[TRACE_PACK_SEEN];
};

/* The bytes of `record`, the next one of the frame, or 0 where they are more than `room`. */
size_t trace_pack(struct trace_pack *frame, const struct trace_record *record, uint8_t *to,
                  size_t room);

/* The record that the bytes at `from` are, and how many they are; 0: they are none. Whatever comes,
 * it reads no byte beyond `size`. */
size_t trace_unpack(struct trace_pack *frame, const uint8_t *from, size_t size,
                    struct trace_record *record);
