/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory operand of an instruction that is being performed. */
#include "monitor/operand.h"

#include "monitor/linear.h"

bool read_segment(struct run *run, enum segment segment, uint64_t offset, unsigned size,
                  uint64_t *value)
{
    uint64_t linear;

    return linear_address(run->state, segment, offset, size, false, &linear, run->fault) &&
           emulate_read(run->ctx, linear, size, value, run->fault);
}

bool write_segment(struct run *run, enum segment segment, uint64_t offset, unsigned size,
                   uint64_t value)
{
    uint64_t linear;

    return linear_address(run->state, segment, offset, size, true, &linear, run->fault) &&
           emulate_write(run->ctx, linear, size, value, run->fault);
}

bool locate(struct run *run, uint64_t distance)
{
    const struct instruction *in = run->instruction;
    const uint64_t *gpr = run->state->gpr;
    uint64_t offset = in->displacement + distance;

    if (in->base < BASE_RIP)
        offset += gpr[in->base];
    else if (in->base == BASE_RIP)
        offset += run->state->rip + in->length;
    if (in->index != BASE_NONE)
        offset += gpr[in->index] << in->scale;
    if (in->address_size != 8)
        offset = truncate(offset, in->address_size);
    return linear_address(run->state, in->segment, offset, in->memory_size,
                          in->access != ACCESS_READ, &run->linear, run->fault);
}

bool read_operand(struct run *run, uint64_t *value)
{
    const struct instruction *in = run->instruction;

    if (in->access == ACCESS_MODIFY &&
        !emulate_modifiable(run->ctx, run->linear, in->memory_size, run->fault))
        return false;
    return emulate_read(run->ctx, run->linear, in->memory_size, value, run->fault);
}

bool write_operand(struct run *run, uint64_t value)
{
    return emulate_write(run->ctx, run->linear, run->instruction->memory_size, value, run->fault);
}

static unsigned word_size(const struct run *run, unsigned at)
{
    unsigned left = run->instruction->memory_size - at;

    return left < 8 ? left : 8;
}

bool read_wide(struct run *run, uint64_t *words)
{
    const struct instruction *in = run->instruction;

    if (in->access == ACCESS_MODIFY &&
        !emulate_modifiable(run->ctx, run->linear, in->memory_size, run->fault))
        return false;
    for (unsigned at = 0; at < in->memory_size; at += 8)
        if (!emulate_read(run->ctx, run->linear + at, word_size(run, at), &words[at / 8],
                          run->fault))
            return false;
    return true;
}

bool write_wide(struct run *run, const uint64_t *words)
{
    if (!emulate_writable(run->ctx, run->linear, run->instruction->memory_size, run->fault))
        return false;
    for (unsigned at = 0; at < run->instruction->memory_size; at += 8)
        if (!emulate_write(run->ctx, run->linear + at, word_size(run, at), words[at / 8],
                           run->fault))
            return false;
    return true;
}
