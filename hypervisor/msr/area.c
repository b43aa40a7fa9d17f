/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/msr/area.h"

#include "hypervisor/msr/switch.h"
#include "lib/bits.h"

/* What the guest changes without an exit is in the area alone, where it comes first. */
static void take_stored(const struct msr_areas *areas, uint64_t unseen, uint64_t changed,
                        struct msr_file *guest)
{
    for (const struct msr_area_entry *e = areas->guest; unseen != 0; unseen &= unseen - 1, e++)
        if (!(changed & BIT(set_first(unseen))))
            guest->value[set_first(unseen)] = e->value;
}

static void list(struct msr_areas *areas, uint64_t slot, const struct msr_file *guest,
                 const struct msr_file *host)
{
    uint32_t index = (uint32_t)msr_index[slot];

    areas->guest[areas->count] = (struct msr_area_entry){index, 0, guest->value[slot]};
    areas->host[areas->count++] = (struct msr_area_entry){index, 0, host->value[slot]};
}

void msr_area_build(struct msr_areas *areas, uint64_t set, uint64_t changed, struct msr_file *guest,
                    const struct msr_file *host)
{
    uint64_t unseen = set & MSR_UNSEEN;

    if (areas->count != 0)
        take_stored(areas, unseen, changed, guest);
    areas->count = 0;
    for (uint64_t left = unseen; left != 0; left &= left - 1)
        list(areas, set_first(left), guest, host); /* it may differ at any time */
    for (uint64_t left = set & ~unseen; left != 0; left &= left - 1)
        if (guest->value[set_first(left)] != host->value[set_first(left)]) /* R32 */
            list(areas, set_first(left), guest, host);
    msr_hardware_area_count(areas->count);
}
