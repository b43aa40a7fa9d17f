/* SPDX-License-Identifier: BSD-2-Clause */
/* Segmentation in software: limits, types and canonical addresses. */
#include "monitor/linear.h"

/* The type in access rights (SDM volume 3, "Code- and Data-Segment Descriptor Types"). */
#define TYPE_WRITABLE    BIT(1) /* data */
#define TYPE_READABLE    BIT(1) /* code */
#define TYPE_EXPAND_DOWN BIT(2) /* data */
#define TYPE_CODE        BIT(3)

/* Types are checked in protected mode only: real mode and virtual-8086 mode load no types. */
static bool type_allows(const struct guest_state *state, uint16_t access, bool write)
{
    if (!loads_descriptors(state))
        return true;
    if (access & SEGMENT_UNUSABLE)
        return false;
    if (access & TYPE_CODE)
        return !write && (access & TYPE_READABLE);
    return !write || (access & TYPE_WRITABLE);
}

static bool limit_allows(const struct segment_state *segment, uint64_t first, uint64_t last)
{
    uint16_t kind = segment->access & (TYPE_CODE | TYPE_EXPAND_DOWN);

    if (kind != TYPE_EXPAND_DOWN)
        return last <= segment->limit;
    return first > segment->limit && last <= ((segment->access & ACCESS_DB) ? UINT32_MAX : 0xffff);
}

static bool linear_64(const struct guest_state *state, enum segment segment, uint64_t offset,
                      unsigned size, uint64_t *linear)
{
    uint64_t base = segment >= SEG_FS ? state->segment[segment].base : 0;

    *linear = base + offset;
    return is_canonical(*linear) && is_canonical(*linear + size - 1);
}

static bool linear_32(const struct guest_state *state, enum segment segment, uint64_t offset,
                      unsigned size, bool write, uint64_t *linear)
{
    const struct segment_state *s = &state->segment[segment];

    *linear = (uint32_t)(s->base + offset);
    return type_allows(state, s->access, write) && limit_allows(s, offset, offset + size - 1);
}

bool linear_address_checked(const struct guest_state *state, enum segment segment, uint64_t offset,
                            unsigned size, bool write, uint64_t *linear,
                            struct emulate_fault *fault)
{
    bool good = code_mode(state) == DECODE_64
                    ? linear_64(state, segment, offset, size, linear)
                    : linear_32(state, segment, offset, size, write, linear);

    if (!good)
        *fault = (struct emulate_fault){.vector = segment == SEG_SS ? VECTOR_SS : VECTOR_GP,
                                        .has_error_code = true};
    return good;
}
