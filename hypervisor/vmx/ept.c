/* SPDX-License-Identifier: BSD-2-Clause */
/* EPT: rights and memory types on top of the 4-level map (R36). */
#include "hypervisor/vmx/ept.h"

#include "lib/bits.h"

#define TYPE_SHIFT 3

#define GUEST_PHYSICAL_END BIT(47)

#define POINTER_WB      6ULL
#define POINTER_4_LEVEL (3ULL << 3) /* the number of levels, less 1 */

bool ept_init(struct ept *ept, const struct vmx_controls *controls)
{
    const unsigned levels = control_has(controls, CONTROL_EPT_1G)   ? 3
                            : control_has(controls, CONTROL_EPT_2M) ? 2
                                                                    : 1;

    ept->format = (struct radix_format){.present = EPT_RWX, .table = EPT_RWX, .levels = levels};
    ept->root = table_page();
    return ept->root;
}

/* Guest-physical addresses are positive: the upper half of the 4-level map is not used. */
static bool is_guest_physical(uint64_t address)
{
    return address < GUEST_PHYSICAL_END;
}

bool ept_map(struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t size, enum ept_rights rights,
             enum memory_type type)
{
    /* Execute without read is a capability of its own, which Lintel does not use. */
    if (!(rights & EPT_R) || !is_guest_physical(gpa))
        return false;
    return radix_map(&ept->format, ept->root, gpa, hpa, size,
                     rights | (uint64_t)type << TYPE_SHIFT);
}

uint64_t ept_pointer(const struct ept *ept)
{
    return phys_of(ept->root) | POINTER_4_LEVEL | POINTER_WB;
}
