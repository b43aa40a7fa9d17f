/* SPDX-License-Identifier: BSD-2-Clause */
/* A partition's name becomes a string of printable characters that ends within its array. */
#include "tests/proofs/gpt.h"

void proof(void)
{
    static struct gpt gpt;
    struct header h = nondet_header();
    struct entry e = nondet_entry();
    const struct gpt_partition *p = &gpt.partition[0];
    unsigned n = nondet_u8();

    suppose(n < GPT_NAME);
    if (add(&gpt, &h, &e) || gpt.count == 0)
        return;
    prove(p->name[GPT_NAME] == '\0');
    prove(p->name[n] == '\0' || (p->name[n] >= ' ' && p->name[n] <= '~'));
    prove(p->name[n] == '\0' || p->name[n] == '?' || p->name[n] == e.name[n]);
}
