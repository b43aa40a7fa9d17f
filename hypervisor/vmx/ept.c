/* SPDX-License-Identifier: BSD-2-Clause */
/* EPT: rights and memory types on top of the 4-level map (R36). */
#include "hypervisor/vmx/ept.h"

#include "lib/bits.h"
#include "lib/lock.h"

/* An entry: read, write, execute; write-back, with which the guest's PAT is combined. */
#define ALLOW_ALL  7ULL
#define EXECUTE    4ULL
#define WRITE_BACK (6ULL << 3)

/* Guest-physical addresses are positive: the upper half of the 4-level map is not used. */
#define GUEST_PHYSICAL_END BIT(47)

#define POINTER_WB      6ULL
#define POINTER_4_LEVEL (3ULL << 3) /* the number of levels, less 1 */
#define POINTER_AD      BIT(6)      /* accessed and dirty flags are set */

void ept_init(struct ept *ept, uint64_t *root, const struct vmx_controls *controls,
              bool execute_small, bool tracked)
{
    const unsigned levels = tracked                                 ? 1
                            : control_has(controls, CONTROL_EPT_1G) ? 3
                            : control_has(controls, CONTROL_EPT_2M) ? 2
                                                                    : 1;

    ept->format = (struct radix_format){.present = ALLOW_ALL, .table = ALLOW_ALL, .levels = levels};
    ept->root = root;
    ept->rights = execute_small && levels > 1 ? ALLOW_ALL & ~EXECUTE : ALLOW_ALL;
    ept->rights |= tracked ? EPT_DIRTY : 0;
    ept->tracked = tracked && control_has(controls, CONTROL_EPT_ACCESSED_DIRTY) ? EPT_DIRTY : 0;
}

bool ept_map(struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t size)
{
    return gpa < GUEST_PHYSICAL_END &&
           radix_map(&ept->format, ept->root, gpa, hpa, size, ept->rights | WRITE_BACK);
}

bool ept_execute(struct ept *ept, uint64_t gpa)
{
    const struct radix_format small = {.present = ALLOW_ALL, .table = ALLOW_ALL, .levels = 1};
    const uint64_t first = align_down(gpa, LARGE_PAGE);
    struct radix_leaf leaf;

    lock_take(&ept->lock);
    bool good = radix_lookup(&ept->format, ept->root, first, &leaf) &&
                (leaf.flags & EXECUTE || radix_map(&small, ept->root, first, leaf.phys, LARGE_PAGE,
                                                   ALLOW_ALL | WRITE_BACK));
    lock_release(&ept->lock);
    return good;
}

uint64_t ept_pointer(const struct ept *ept)
{
    return phys_of(ept->root) | POINTER_4_LEVEL | POINTER_WB | (ept->tracked ? POINTER_AD : 0);
}
