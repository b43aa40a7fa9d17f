/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/control_frame.h"

#include "lib/crc32.h"
#include "lib/string.h"

#define CRC_AT offsetof(struct control_request, crc)

_Static_assert(CRC_AT == offsetof(struct control_answer, crc), "both have it at one place");

/* With the magic, all that tells how long it is; more than a frame may have if it is none. */
static size_t frame_size(const uint8_t *bytes)
{
    uint16_t data;

    memcpy(&data, bytes + offsetof(struct control_answer, size), sizeof(data));
    return bytes[0] == CONTROL_ANSWER ? CONTROL_HEAD + (size_t)data : CONTROL_HEAD;
}

static uint32_t sum(const uint8_t *bytes, size_t size)
{
    static const uint8_t zero[sizeof(uint32_t)];
    uint32_t sum = crc32(UINT32_MAX, bytes, CRC_AT);

    sum = crc32(sum, zero, sizeof(zero));
    return ~crc32(sum, bytes + CRC_AT + sizeof(zero), size - CRC_AT - sizeof(zero));
}

enum control_verdict control_frame(const uint8_t *bytes, size_t count, uint8_t magic, size_t *size)
{
    uint32_t crc;

    if (count > 0 && bytes[0] != magic)
        return CONTROL_FRAME_NONE;
    if (count < CONTROL_HEAD)
        return CONTROL_FRAME_SHORT;
    *size = frame_size(bytes);
    if (*size > sizeof(struct control_answer))
        return CONTROL_FRAME_NONE;
    if (count < *size)
        return CONTROL_FRAME_SHORT;
    memcpy(&crc, bytes + CRC_AT, sizeof(crc));
    return sum(bytes, *size) == crc ? CONTROL_FRAME_WHOLE : CONTROL_FRAME_NONE;
}

size_t control_seal(void *frame)
{
    size_t size = frame_size(frame);
    uint32_t crc = sum(frame, size);

    memcpy((uint8_t *)frame + CRC_AT, &crc, sizeof(crc));
    return size;
}
