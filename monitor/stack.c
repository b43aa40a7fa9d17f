/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations that push, pop or branch. */
#include "monitor/linear.h"
#include "monitor/operand.h"
#include "monitor/segment.h"
#include "monitor/x86.h"

bool run_push(struct run *run)
{
    unsigned size = run->instruction->size, width = stack_size(run->state);
    uint64_t *rsp = &run->state->gpr[GPR_RSP];
    uint64_t value, top = truncate(*rsp - size, width);

    if (!locate(run, 0) || !read_operand(run, &value) ||
        !write_segment(run, SEG_SS, top, size, value))
        return false;
    set_gpr(rsp, top, width, 0);
    return true;
}

/* An address that uses RSP uses the one after the increment (SDM volume 2, "POP"). */
bool run_pop(struct run *run)
{
    unsigned size = run->instruction->size, width = stack_size(run->state);
    uint64_t *rsp = &run->state->gpr[GPR_RSP];
    uint64_t value, before = *rsp;

    if (!read_segment(run, SEG_SS, truncate(before, width), size, &value))
        return false;
    set_gpr(rsp, before + size, width, 0);
    if (locate(run, 0) && write_operand(run, value))
        return true;
    *rsp = before;
    return false;
}

/* SDM volume 2, "JMP": a target that is not canonical, or beyond CS's limit, faults here. */
static bool read_target(struct run *run, uint64_t *target)
{
    const struct guest_state *s = run->state;

    if (!locate(run, 0) || !read_operand(run, target))
        return false;
    if (code_mode(s) == DECODE_64 ? is_canonical(*target) : *target <= s->segment[SEG_CS].limit)
        return true;
    *run->fault = (struct emulate_fault){.vector = VECTOR_GP, .has_error_code = true};
    return false;
}

bool run_jump(struct run *run)
{
    if (run->instruction->operands == OPERANDS_FAR_MEMORY)
        return transfer_far(run, false);
    return read_target(run, &run->next);
}

bool run_call(struct run *run)
{
    unsigned size = run->instruction->size, width = stack_size(run->state);
    uint64_t *rsp = &run->state->gpr[GPR_RSP];
    uint64_t target, top = truncate(*rsp - size, width);

    if (run->instruction->operands == OPERANDS_FAR_MEMORY)
        return transfer_far(run, true);
    if (!read_target(run, &target) || !write_segment(run, SEG_SS, top, size, run->next))
        return false;
    set_gpr(rsp, top, width, 0);
    run->next = target;
    return true;
}
