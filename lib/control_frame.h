/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of the control line (abi/control.h), for both of its ends. */
#pragma once

#include "abi/control.h"

enum control_verdict {
    CONTROL_FRAME_NONE,  /* none begins with the first byte: it is passed by */
    CONTROL_FRAME_SHORT, /* more bytes may make it one */
    CONTROL_FRAME_WHOLE, /* its size is *size */
};

/* What the first `count` bytes that have come are; `magic` is that of the frames that come this
 * way. Pure: looks at these bytes and at nothing else. */
enum control_verdict control_frame(const uint8_t *bytes, size_t count, uint8_t magic, size_t *size);

/* Fills in the sum of a frame that is complete otherwise. Returns its size. */
size_t control_seal(void *frame);
