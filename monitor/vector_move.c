/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves between vector registers and memory. What else a vector instruction can do is not done on
 * device memory. */
#include "monitor/operand.h"
#include "monitor/vector.h"

/* MOVHPS and its kind: the upper half of 128 bits. */
static unsigned first_word(const struct instruction *in)
{
    return in->vector_high ? 1 : 0;
}

static bool store(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t words[4];

    vector_read((enum vector_kind)in->vector, in->reg, words);
    return write_wide(run, words + first_word(in));
}

/* What is loaded fills the register up with zeros, or with what was in it or, by VEX, in another
 * one. */
static bool load(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t words[4] = {0};

    if (in->vector_merges)
        vector_read(VECTOR_SSE, in->vector == VECTOR_SSE ? in->reg : in->other, words);
    if (!read_wide(run, words + first_word(in)))
        return false;
    vector_write((enum vector_kind)in->vector, in->reg, words);
    return true;
}

bool run_vector_move(struct run *run)
{
    if (!locate(run, 0))
        return false;
    return run->instruction->access == ACCESS_WRITE ? store(run) : load(run);
}
