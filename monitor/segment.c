/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on segment registers, LDTR, TR and the descriptor tables. */
#include "monitor/linear.h"
#include "monitor/operand.h"
#include "monitor/segment_load.h"
#include "monitor/x86.h"

bool run_move_segment(struct run *run)
{
    const struct instruction *in = run->instruction;
    struct segment_state loaded;
    uint64_t selector;

    emulate_segments(run->ctx);
    if (!locate(run, 0))
        return false;
    if (in->operands == OPERANDS_MEMORY_SEGMENT)
        return write_operand(run, run->state->segment[in->reg].selector);
    if (!read_operand(run, &selector) || !segment_load(run, in->reg, (uint16_t)selector, &loaded))
        return false;
    run->state->segment[in->reg] = loaded;
    run->result = in->reg == SEG_SS ? EMULATE_STACK_SEGMENT : EMULATE_SEGMENTS;
    return true;
}

/* The offset, and the selector behind it. */
static bool read_far(struct run *run, uint64_t *offset, uint64_t *selector)
{
    unsigned size = run->instruction->size;

    emulate_segments(run->ctx);
    return locate(run, 0) && emulate_read(run->ctx, run->linear, size, offset, run->fault) &&
           emulate_read(run->ctx, run->linear + size, 2, selector, run->fault);
}

bool run_load_far(struct run *run)
{
    static const uint8_t segments[] = {SEG_ES, SEG_DS, SEG_SS, SEG_FS, SEG_GS};
    enum segment segment = segments[run->instruction->operation - OPERATION_LES];
    struct segment_state loaded;
    uint64_t offset, selector;

    if (!read_far(run, &offset, &selector) ||
        !segment_load(run, segment, (uint16_t)selector, &loaded))
        return false;
    set_register_operand(run, offset);
    run->state->segment[segment] = loaded;
    run->result = EMULATE_SEGMENTS;
    return true;
}

static bool push_return(struct run *run)
{
    unsigned size = run->instruction->size, width = stack_size(run->state);
    uint64_t *rsp = &run->state->gpr[GPR_RSP];
    uint64_t upper = truncate(*rsp - size, width), top = truncate(*rsp - 2 * size, width);

    if (!write_segment(run, SEG_SS, upper, size, run->state->segment[SEG_CS].selector) ||
        !write_segment(run, SEG_SS, top, size, run->next))
        return false;
    set_gpr(rsp, top, width, 0);
    return true;
}

/* JMP, or CALL, to where a far pointer says, without a change of the privilege level. */
static bool transfer_far(struct run *run, bool call)
{
    struct segment_state *cs = &run->state->segment[SEG_CS], loaded;
    uint64_t offset, selector;

    if (!read_far(run, &offset, &selector) ||
        !segment_load(run, SEG_CS, (uint16_t)selector, &loaded))
        return false;
    bool to_64 = run->state->efer & EFER_LMA && loaded.access & ACCESS_L;

    if (to_64 ? !is_canonical(offset) : offset > loaded.limit)
        return selector_fault(run, VECTOR_GP, 0);
    if (call && !push_return(run))
        return false;
    *cs = loaded;
    run->next = offset;
    run->result = EMULATE_SEGMENTS;
    return true;
}

bool run_jump_far(struct run *run)
{
    return transfer_far(run, false);
}

bool run_call_far(struct run *run)
{
    return transfer_far(run, true);
}

bool run_store_selector(struct run *run)
{
    enum segment segment = run->instruction->operation == OPERATION_STR ? SEG_TR : SEG_LDTR;

    emulate_segments(run->ctx);
    return locate(run, 0) && write_operand(run, run->state->segment[segment].selector);
}

/* The processor has checked this, but the bytes may be others now. */
static bool is_privileged(struct run *run)
{
    return current_privilege(run->state) == 0 || selector_fault(run, VECTOR_GP, 0);
}

bool run_load_system(struct run *run)
{
    enum segment segment = run->instruction->operation == OPERATION_LTR ? SEG_TR : SEG_LDTR;
    struct segment_state loaded;
    uint64_t selector;

    emulate_segments(run->ctx);
    if (!is_privileged(run) || !locate(run, 0) || !read_operand(run, &selector) ||
        !segment_load(run, segment, (uint16_t)selector, &loaded))
        return false;
    run->state->segment[segment] = loaded;
    run->result = EMULATE_SEGMENTS;
    return true;
}

/* The processors since the 386 store all of the base, whatever the operand size. */
bool run_store_table(struct run *run)
{
    const struct guest_state *s = run->state;
    const struct table_state *table =
        run->instruction->operation == OPERATION_SGDT ? &s->gdtr : &s->idtr;

    emulate_segments(run->ctx);
    return locate(run, 0) &&
           emulate_writable(run->ctx, run->linear, run->instruction->memory_size, run->fault) &&
           emulate_write(run->ctx, run->linear, 2, table->limit, run->fault) &&
           emulate_write(run->ctx, run->linear + 2, run->instruction->memory_size - 2, table->base,
                         run->fault);
}

/* With an operand size of 16 bits the base has 24. */
bool run_load_table(struct run *run)
{
    const struct instruction *in = run->instruction;
    struct table_state *table =
        in->operation == OPERATION_LGDT ? &run->state->gdtr : &run->state->idtr;
    uint64_t limit, base;

    emulate_segments(run->ctx);
    if (!is_privileged(run) || !locate(run, 0) ||
        !emulate_read(run->ctx, run->linear, 2, &limit, run->fault) ||
        !emulate_read(run->ctx, run->linear + 2, in->memory_size - 2, &base, run->fault))
        return false;
    if (!is_canonical(base))
        return selector_fault(run, VECTOR_GP, 0);
    if (in->size == 2 && code_mode(run->state) != DECODE_64)
        base &= 0xffffff;
    *table = (struct table_state){base, limit};
    run->result = EMULATE_SEGMENTS;
    return true;
}
