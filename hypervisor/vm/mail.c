/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/mail.h"

#include "hypervisor/cpu/words.h"
#include "lib/bits.h"

void mail_put(struct mail *m, uint8_t vector, bool level)
{
    word_or(&m->vectors[level][vector / 64], BIT(vector % 64));
}

uint64_t mail_take(struct mail *m, bool level, unsigned n)
{
    uint64_t *word = &m->vectors[level][n];

    return word_load(word) != 0 ? word_swap(word, 0) : 0;
}
