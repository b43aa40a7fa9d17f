/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/mail.h"

#include "hypervisor/cpu/words.h"
#include "lib/bits.h"

unsigned mail_put(struct mail *m, uint8_t vector, bool level)
{
    unsigned n = vector / 64 + level * MAIL_LEVEL;

    word_or(&m->vectors[n], BIT(vector % 64));
    return n;
}

uint64_t mail_take(struct mail *m, unsigned n)
{
    return word_swap(&m->vectors[n], 0);
}
