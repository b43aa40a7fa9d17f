/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on segment registers, LDTR, TR and the descriptor tables. */
#include "monitor/alu.h"
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

/* The offset, and the selector behind it: in memory, or in the instruction. */
static bool read_far(struct run *run, uint64_t *offset, uint64_t *selector)
{
    const struct instruction *in = run->instruction;
    unsigned size = in->size;

    emulate_segments(run->ctx);
    if (in->operands == OPERANDS_POINTER) {
        *offset = in->immediate;
        *selector = in->displacement;
        return true;
    }
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

static bool find_target(struct run *run, uint64_t offset, uint64_t selector,
                        struct segment_state *cs)
{
    if (!segment_load(run, SEG_CS, (uint16_t)selector, cs))
        return false;
    bool to_64 = run->state->efer & EFER_LMA && cs->access & ACCESS_L;

    return (to_64 ? is_canonical(offset) : offset <= cs->limit) ||
           selector_fault(run, VECTOR_GP, 0);
}

/* JMP, or CALL, to where a far pointer says, without a change of the privilege level. */
static bool transfer_far(struct run *run, bool call)
{
    struct segment_state *cs = &run->state->segment[SEG_CS], loaded;
    uint64_t offset, selector;

    if (!may_transfer(run) || !read_far(run, &offset, &selector) ||
        !find_target(run, offset, selector, &loaded) || (call && !push_return(run)))
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

/* To a more privileged level nothing returns; to a less privileged one the VM stops, with a report.
 */
static bool returns_to_same(struct run *run, uint16_t selector)
{
    unsigned cpl = current_privilege(run->state);

    if (!loads_descriptors(run->state) || (selector & 3) == cpl)
        return true;
    if ((selector & 3) < cpl)
        return selector_fault(run, VECTOR_GP, selector);
    run->result = EMULATE_UNSUPPORTED;
    return false;
}

bool run_return_far(struct run *run)
{
    const struct instruction *in = run->instruction;
    unsigned size = in->size, width = stack_size(run->state);
    uint64_t *rsp = &run->state->gpr[GPR_RSP], offset, selector;
    struct segment_state loaded;

    emulate_segments(run->ctx);
    if (!may_transfer(run) || !read_segment(run, SEG_SS, truncate(*rsp, width), size, &offset) ||
        !read_segment(run, SEG_SS, truncate(*rsp + size, width), size, &selector) ||
        !returns_to_same(run, (uint16_t)selector) || !find_target(run, offset, selector, &loaded))
        return false;
    set_gpr(rsp, *rsp + 2 * size + in->immediate, width, 0);
    run->state->segment[SEG_CS] = loaded;
    run->next = offset;
    run->result = EMULATE_SEGMENTS;
    return true;
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

/* The operand of LAR and its kind: a selector, which may name nothing. */
static bool look(struct run *run, enum segment_look kind, uint64_t *descriptor)
{
    uint64_t selector;
    bool good;

    emulate_segments(run->ctx);
    if (!locate(run, 0) || !read_operand(run, &selector) ||
        !segment_look(run, kind, (uint16_t)selector, descriptor, &good))
        return false;
    run->rflags = (run->rflags & ~(uint64_t)RFLAGS_ZF) | (good ? RFLAGS_ZF : 0);
    return true;
}

bool run_verify(struct run *run)
{
    uint64_t descriptor;

    return look(run, run->instruction->operation == OPERATION_VERR ? LOOK_READ : LOOK_WRITE,
                &descriptor);
}

bool run_load_access(struct run *run)
{
    uint64_t descriptor;

    if (!look(run, LOOK_ACCESS, &descriptor))
        return false;
    if (run->rflags & RFLAGS_ZF)
        set_register_operand(run, descriptor >> 32 & 0xf0ff00);
    return true;
}

bool run_load_limit(struct run *run)
{
    uint64_t descriptor;

    if (!look(run, LOOK_LIMIT, &descriptor))
        return false;
    if (run->rflags & RFLAGS_ZF)
        set_register_operand(run, segment_limit(descriptor));
    return true;
}

/* ARPL: the requester's privilege in a selector becomes that of the register at least. */
bool run_adjust_privilege(struct run *run)
{
    uint64_t memory, least = register_operand(run) & 3;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    run->rflags &= ~(uint64_t)RFLAGS_ZF;
    if ((memory & 3) >= least)
        return true;
    run->rflags |= RFLAGS_ZF;
    return write_operand(run, (memory & ~3ULL) | least);
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
