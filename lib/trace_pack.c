/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/trace_pack.h"

#include "lib/bits.h"
#include "lib/string.h"

#define RECORD sizeof(struct trace_record)

/* How far back the last record of the same kind is. */
static unsigned look_back(const struct trace_pack *frame, const struct trace_record *record)
{
    for (unsigned back = 1; back <= frame->count; back++)
        if (frame->seen[frame->count - back].what == record->what)
            return back;
    return 0;
}

static void before(const struct trace_pack *frame, unsigned back, uint8_t bytes[RECORD])
{
    static const struct trace_record none;

    memcpy(bytes, back > 0 ? &frame->seen[frame->count - back] : &none, RECORD);
}

size_t trace_pack(struct trace_pack *frame, const struct trace_record *record, uint8_t *to,
                  size_t room)
{
    uint8_t was[RECORD], is[RECORD], bytes[TRACE_PACK_MAX];
    unsigned back = look_back(frame, record);
    size_t size = TRACE_PACK_HEAD;
    uint32_t others = 0;

    before(frame, back, was);
    memcpy(is, record, RECORD);
    for (size_t i = 0; i < RECORD; i++)
        if (is[i] != was[i]) {
            others |= (uint32_t)BIT(i);
            bytes[size++] = is[i];
        }
    if (size > room || frame->count == TRACE_PACK_SEEN)
        return 0;
    bytes[0] = (uint8_t)back;
    memcpy(bytes + 1, &others, sizeof(others));
    memcpy(to, bytes, size);
    frame->seen[frame->count++] = *record;
    return size;
}

size_t trace_unpack(struct trace_pack *frame, const uint8_t *from, size_t size,
                    struct trace_record *record)
{
    uint8_t bytes[RECORD];
    size_t used = TRACE_PACK_HEAD;
    uint32_t others;

    if (size < used || from[0] > frame->count || frame->count == TRACE_PACK_SEEN)
        return 0;
    before(frame, from[0], bytes);
    memcpy(&others, from + 1, sizeof(others));
    for (size_t i = 0; i < RECORD; i++)
        if (others & BIT(i)) {
            if (used == size)
                return 0;
            bytes[i] = from[used++];
        }
    memcpy(record, bytes, RECORD);
    frame->seen[frame->count++] = *record;
    return used;
}
