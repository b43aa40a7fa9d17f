/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/msr/area.h"

#include "hypervisor/msr/switch.h"
#include "lib/bits.h"

/* What the guest changes without an exit is in the area alone. Only KERNEL_GS_BASE can be, by
 * SWAPGS: all other rows' writes exit. */
static void take_stored(const struct msr_areas *areas, struct msr_file *guest)
{
    for (uint32_t i = 0; i < areas->count; i++)
        if (areas->guest[i].index == msr_rows[MSR_ROW_KERNEL_GS_BASE].first)
            guest->value[MSR_SLOT_KERNEL_GS_BASE] = areas->guest[i].value;
}

void msr_area_build(struct msr_areas *areas, uint64_t set, uint64_t changed, struct msr_file *guest,
                    const struct msr_file *host)
{
    uint32_t count = 0;

    if (!(changed & MSR_SET(KERNEL_GS_BASE)))
        take_stored(areas, guest);
    for (; set != 0; set &= set - 1) {
        uint64_t slot = set_first(set), value = guest->value[slot];
        uint32_t index = (uint32_t)msr_index[slot];

        /* R32; but SWAPGS may make KERNEL_GS_BASE differ at any time. */
        if (value == host->value[slot] && slot != MSR_SLOT_KERNEL_GS_BASE)
            continue;
        areas->guest[count] = (struct msr_area_entry){index, 0, value};
        areas->host[count++] = (struct msr_area_entry){index, 0, host->value[slot]};
    }
    areas->count = count;
    msr_hardware_area_count(count);
}
