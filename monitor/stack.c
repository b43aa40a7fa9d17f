/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations that push, pop or branch. The stack, or their operand, is in device memory. */
#include "monitor/alu.h"
#include "monitor/linear.h"
#include "monitor/operand.h"
#include "monitor/segment_load.h"
#include "monitor/x86.h"

#define RFLAGS_IOPL (3u << 12)
#define RFLAGS_ID   BIT(21)

#define IOPL_SHIFT 12

/* What POPF changes at any privilege level. */
#define POPF_FREE                                                                                  \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF |           \
     RFLAGS_OF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID)

/* Writes below *top, which moves there; its width is that of the stack pointer. */
static bool push(struct run *run, uint64_t *top, unsigned size, uint64_t value)
{
    uint64_t below = truncate(*top - run->instruction->size, stack_size(run->state));

    if (!write_segment(run, SEG_SS, below, size, value))
        return false;
    *top = below;
    return true;
}

static bool pop(struct run *run, uint64_t *top, uint64_t *value)
{
    unsigned size = run->instruction->size, width = stack_size(run->state);

    if (!read_segment(run, SEG_SS, truncate(*top, width), size, value))
        return false;
    *top = truncate(*top + size, width);
    return true;
}

static void set_stack_pointer(struct run *run, uint64_t top)
{
    set_gpr(&run->state->gpr[GPR_RSP], top, stack_size(run->state), 0);
}

/* The operand of PUSH and CALL. */
static bool read_source(struct run *run, uint64_t *value)
{
    const struct instruction *in = run->instruction;

    switch (in->operands) {
    case OPERANDS_REGISTER:
        *value = truncate(run->state->gpr[in->reg], in->size);
        return true;
    case OPERANDS_IMMEDIATE:
        *value = in->immediate;
        return true;
    case OPERANDS_SEGMENT:
        emulate_segments(run->ctx);
        *value = run->state->segment[in->reg].selector;
        return true;
    default:
        return locate(run, 0) && read_operand(run, value);
    }
}

/* Of 4 bytes that a selector takes only 2 are written (SDM volume 2, "PUSH"). */
bool run_push(struct run *run)
{
    const struct instruction *in = run->instruction;
    bool part = in->operands == OPERANDS_SEGMENT && in->size == 4;
    uint64_t value, top = run->state->gpr[GPR_RSP];

    if (!read_source(run, &value) || !push(run, &top, part ? 2 : in->size, value))
        return false;
    set_stack_pointer(run, top);
    return true;
}

static bool pop_segment(struct run *run, uint16_t selector)
{
    enum segment segment = run->instruction->reg;
    struct segment_state loaded;

    emulate_segments(run->ctx);
    if (!segment_load(run, segment, selector, &loaded))
        return false;
    run->state->segment[segment] = loaded;
    run->result = segment == SEG_SS ? EMULATE_STACK_SEGMENT : EMULATE_SEGMENTS;
    return true;
}

/* An address that uses RSP uses the one after the increment (SDM volume 2, "POP"). */
bool run_pop(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t *rsp = &run->state->gpr[GPR_RSP];
    uint64_t value, before = *rsp, top = before;
    unsigned width = stack_size(run->state);
    bool good = true;

    if (!pop(run, &top, &value))
        return false;
    set_gpr(rsp, top, width, 0);
    if (in->operands == OPERANDS_REGISTER)
        set_gpr(&run->state->gpr[in->reg], value, in->size, 0);
    else if (in->operands == OPERANDS_SEGMENT)
        good = pop_segment(run, (uint16_t)value);
    else
        good = locate(run, 0) && write_operand(run, value);
    if (!good)
        *rsp = before;
    return good;
}

/* EAX to EDI in the order of their numbers, which is that of the pushes. */
bool run_push_all(struct run *run)
{
    const uint64_t *gpr = run->state->gpr;
    uint64_t top = gpr[GPR_RSP];

    for (unsigned i = GPR_RAX; i <= GPR_RDI; i++)
        if (!push(run, &top, run->instruction->size, gpr[i]))
            return false;
    set_stack_pointer(run, top);
    return true;
}

/* The stack pointer's own value is left out. */
bool run_pop_all(struct run *run)
{
    uint64_t *gpr = run->state->gpr, top = gpr[GPR_RSP], values[GPR_RDI + 1];

    for (unsigned i = GPR_RDI + 1; i-- > GPR_RAX;)
        if (!pop(run, &top, &values[i]))
            return false;
    for (unsigned i = GPR_RAX; i <= GPR_RDI; i++)
        if (i != GPR_RSP)
            set_gpr(&gpr[i], values[i], run->instruction->size, 0);
    set_stack_pointer(run, top);
    return true;
}

/* Virtual-8086 mode without IOPL 3 has extensions, which are left out: the VM stops, with a report.
 */
static bool has_all_flags(struct run *run)
{
    if (!(run->state->rflags & RFLAGS_VM) || (run->state->rflags & RFLAGS_IOPL) == RFLAGS_IOPL)
        return true;
    run->result = EMULATE_UNSUPPORTED;
    return false;
}

bool run_push_flags(struct run *run)
{
    uint64_t top = run->state->gpr[GPR_RSP];
    uint64_t value = run->state->rflags & ~(uint64_t)(RFLAGS_RF | RFLAGS_VM);

    if (!has_all_flags(run) || !push(run, &top, run->instruction->size, value))
        return false;
    set_stack_pointer(run, top);
    return true;
}

bool run_pop_flags(struct run *run)
{
    unsigned privilege = current_privilege(run->state);
    uint64_t value, may = POPF_FREE, top = run->state->gpr[GPR_RSP];

    if (!has_all_flags(run) || !pop(run, &top, &value))
        return false;
    if (privilege == 0)
        may |= RFLAGS_IOPL;
    if (privilege <= (run->rflags >> IOPL_SHIFT & 3))
        may |= RFLAGS_IF;
    may = truncate(may, run->instruction->size);
    run->rflags = (run->rflags & ~may) | (value & may);
    set_stack_pointer(run, top);
    return true;
}

/* SDM volume 2, "JMP": a target that is not canonical, or beyond CS's limit, faults here. */
static bool check_target(struct run *run, uint64_t target)
{
    const struct guest_state *s = run->state;

    if (code_mode(s) == DECODE_64 ? is_canonical(target) : target <= s->segment[SEG_CS].limit)
        return true;
    *run->fault = (struct emulate_fault){.vector = VECTOR_GP, .has_error_code = true};
    return false;
}

bool may_transfer(struct run *run)
{
    if (!(run->state->cr4 & CR4_CET))
        return true;
    run->result = EMULATE_UNSUPPORTED;
    return false;
}

bool run_jump(struct run *run)
{
    return may_transfer(run) && read_source(run, &run->next) && check_target(run, run->next);
}

bool run_call(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t target, top = run->state->gpr[GPR_RSP];

    if (!may_transfer(run) || !read_source(run, &target))
        return false;
    if (in->operands == OPERANDS_IMMEDIATE)
        target = truncate(run->next + target, in->size);
    if (!check_target(run, target) || !push(run, &top, in->size, run->next))
        return false;
    set_stack_pointer(run, top);
    run->next = target;
    return true;
}

/* What RET releases besides is its immediate, or 0. */
bool run_return(struct run *run)
{
    uint64_t target, top = run->state->gpr[GPR_RSP];

    if (!may_transfer(run) || !pop(run, &top, &target) || !check_target(run, target))
        return false;
    set_stack_pointer(run, top + run->instruction->immediate);
    run->next = target;
    return true;
}

/* Copies the frame pointers of the levels above, and adds its own. */
static bool push_display(struct run *run, uint64_t *top, uint64_t frame)
{
    unsigned size = run->instruction->size, width = stack_size(run->state);
    uint64_t value, at = run->state->gpr[GPR_RBP];

    for (unsigned level = run->instruction->reg; level > 1; level--) {
        at = truncate(at - size, width);
        if (!read_segment(run, SEG_SS, at, size, &value) || !push(run, top, size, value))
            return false;
    }
    return run->instruction->reg == 0 || push(run, top, size, frame);
}

bool run_enter(struct run *run)
{
    const struct instruction *in = run->instruction;
    unsigned width = stack_size(run->state);
    uint64_t *gpr = run->state->gpr, top = gpr[GPR_RSP], frame;

    if (!push(run, &top, in->size, gpr[GPR_RBP]))
        return false;
    frame = top;
    if (!push_display(run, &top, frame))
        return false;
    top = truncate(top - in->immediate, width);
    set_stack_pointer(run, top);
    set_gpr(&gpr[GPR_RBP], frame, in->size, 0);
    return true;
}

bool run_leave(struct run *run)
{
    uint64_t *rbp = &run->state->gpr[GPR_RBP], top = *rbp, value;

    if (!pop(run, &top, &value))
        return false;
    set_stack_pointer(run, top);
    set_gpr(rbp, value, run->instruction->size, 0);
    return true;
}
