/* SPDX-License-Identifier: BSD-2-Clause */
/* The page that instructions were fetched from last. */
#include "monitor/code_page.h"

#include "monitor/x86.h"

void code_page_reset(struct code_page *p)
{
    p->linear = CODE_PAGE_NONE;
}

/* Of the state a fetch's walk depends on nothing else: CR0.WP and RFLAGS.AC are for data. */
static inline bool same_state(const struct code_page *p, const struct guest_state *s,
                              uint64_t linear)
{
    return ((p->linear ^ linear) | (p->cr3 ^ s->cr3) | (p->cr4 ^ s->cr4) | (p->efer ^ s->efer) |
            (p->privilege ^ current_privilege(s))) == 0;
}

static inline uint64_t difference(const struct walk_step *step)
{
    return __atomic_load_n(step->at, __ATOMIC_RELAXED) ^ step->value;
}

static inline bool same_path(const struct walk_path *path)
{
    const struct walk_step *step = path->step;

    return (difference(step) | difference(step + 1) | difference(step + 2) |
            difference(step + 3)) == 0;
}

__attribute__((cold, noinline)) static const uint8_t *walk_to(struct code_page *p,
                                                              const struct guest_memory *memory,
                                                              const struct guest_state *s,
                                                              uint64_t linear)
{
    struct emulate_fault fault;
    uint64_t physical;

    p->linear = CODE_PAGE_NONE;
    if (!walk_along(memory, s, linear, WALK_FETCH, &physical, &fault, &p->path))
        return NULL;
    p->ram = guest_memory_at(memory, physical, PAGE_SIZE);
    if (p->ram == NULL || p->path.count == 0)
        return p->ram;
    for (; p->path.count < ARRAY_SIZE(p->path.step); p->path.count++)
        p->path.step[p->path.count] = p->path.step[0];
    p->linear = linear;
    p->cr3 = s->cr3;
    p->cr4 = s->cr4;
    p->efer = s->efer;
    p->privilege = current_privilege(s);
    return p->ram;
}

const uint8_t *code_page_find(struct code_page *p, const struct guest_memory *memory,
                              const struct guest_state *s, uint64_t linear)
{
    uint64_t page = align_down(linear, PAGE_SIZE);

    if (same_state(p, s, page) && same_path(&p->path))
        return p->ram;
    return walk_to(p, memory, s, page);
}
