/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations that push or pop. */
#include "monitor/linear.h"
#include "monitor/operand.h"

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
