/* SPDX-License-Identifier: BSD-2-Clause */
/* BMI1, BMI2 and ADX: operations whose register operands VEX names, or that leave most flags. */
#include "monitor/alu.h"
#include "monitor/native.h"
#include "monitor/operand.h"

static uint64_t other_operand(const struct run *run)
{
    return truncate(run->state->gpr[run->instruction->other], run->instruction->size);
}

static void set_other(struct run *run, uint64_t value)
{
    set_gpr(&run->state->gpr[run->instruction->other], value, run->instruction->size, 0);
}

/* BLSR and its kind have but one register, which is VEX's. */
bool run_bits(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t memory, result;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    result = native_bits(in->operation, memory, other_operand(run), in->size, &run->rflags);
    if (in->operands == OPERANDS_MEMORY)
        set_other(run, result);
    else
        set_register_operand(run, result);
    return true;
}

bool run_shift_only(struct run *run)
{
    static const uint8_t shifts[] = {OPERATION_ROR, OPERATION_SHL, OPERATION_SHR, OPERATION_SAR};
    const struct instruction *in = run->instruction;
    bool immediate = in->operands == OPERANDS_REGISTER_MEMORY_IMMEDIATE;
    uint8_t count = (uint8_t)(immediate ? in->immediate : other_operand(run));
    uint64_t memory, flags = run->rflags;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    set_register_operand(
        run, native_shift(shifts[in->operation - OPERATION_RORX], memory, count, in->size, &flags));
    return true;
}

/* MULX: where both halves go to one register, it is the upper one. */
bool run_multiply_only(struct run *run)
{
    unsigned size = run->instruction->size;
    uint64_t memory;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    unsigned __int128 product =
        (unsigned __int128)truncate(run->state->gpr[GPR_RDX], size) * memory;

    set_other(run, (uint64_t)product);
    set_register_operand(run, (uint64_t)(product >> size * 8));
    return true;
}

/* ADCX has its carry in CF, ADOX in OF; the other flags stay. */
bool run_add_carry(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t flag = in->operation == OPERATION_ADCX ? RFLAGS_CF : RFLAGS_OF, memory;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    unsigned __int128 sum =
        (unsigned __int128)register_operand(run) + memory + !!(run->rflags & flag);

    run->rflags &= ~flag;
    run->rflags |= (uint64_t)(sum >> in->size * 8) ? flag : 0;
    set_register_operand(run, (uint64_t)sum);
    return true;
}
