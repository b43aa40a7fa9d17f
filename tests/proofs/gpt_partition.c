/* SPDX-License-Identifier: BSD-2-Clause */
/* Any entry, added to any partitions that lie apart from each other: all of them lie apart, and
 * where the header lets them. */
#include "tests/proofs/gpt.h"

#define MOST 2u /* partitions that are there, or as many as there can be */

static bool is_inside(const struct gpt_partition *p, const struct header *h)
{
    return p->sectors >= 1 && h->first_usable <= p->first && p->first <= h->last_usable &&
           p->sectors - 1 <= h->last_usable - p->first;
}

/* One more than these. */
static void check(struct gpt gpt)
{
    struct header h = nondet_header();
    struct entry e = nondet_entry();
    uint64_t sectors = nondet_u64();
    uint32_t before = gpt.count;
    const struct gpt_partition *new = &gpt.partition[before];

    suppose(header_is_sound(&h, sectors));
    e.name[0] = 0; /* names are another proof's */
    for (uint32_t n = 0; n < before; n++)
        suppose(is_inside(&gpt.partition[n], &h));
    if (add(&gpt, &h, &e)) {
        prove(gpt.count == before);
        return;
    }
    prove(gpt.count == before + (e.type[0] != 0 || e.type[1] != 0));
    if (gpt.count == before)
        return;
    prove(is_inside(new, &h) && new->first == e.first &&new->first + new->sectors - 1 == e.last);
    for (uint32_t n = 0; n < before; n++) {
        const struct gpt_partition *a = &gpt.partition[n];

        prove(a->first + a->sectors <= new->first || new->first + new->sectors <= a->first);
    }
}

void proof(void)
{
    struct entry e = nondet_entry();
    struct header h = nondet_header();
    struct gpt gpt = nondet_gpt();

    for (gpt.count = 0; gpt.count <= MOST; gpt.count++)
        check(gpt);
    gpt.count = GPT_PARTITIONS;
    prove(add(&gpt, &h, &e) || gpt.count == GPT_PARTITIONS);
}
