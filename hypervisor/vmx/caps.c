/* SPDX-License-Identifier: BSD-2-Clause */
/* The conditions before VMXON (R1, R2, R3). */
#include "hypervisor/vmx/caps.h"

#include "hypervisor/cpu/registers.h"

#define BASIC_REVISION         0x7fffffffU
#define BASIC_32_BIT_ADDRESSES BIT(48)

uint64_t vmx_feature_control_value(const struct vmx_caps *caps)
{
    return caps->feature_control | FEATURE_CONTROL_OUTSIDE_SMX | FEATURE_CONTROL_LOCK;
}

uint32_t vmx_revision(const struct vmx_caps *caps)
{
    return caps->basic & BASIC_REVISION;
}

/* R2, R7: the size and the memory type are the CPU's demands on software, the rest is what the
 * address must meet. */
const char *vmx_region_fault(const struct vmx_caps *caps, uint64_t phys)
{
    const uint64_t size = (caps->basic >> 32) & 0x1fff;
    const unsigned type = (caps->basic >> 50) & 0xf;
    const unsigned bits = caps->basic & BASIC_32_BIT_ADDRESSES ? 32 : caps->physical_bits;

    if (!is_aligned(phys, PAGE_SIZE))
        return "the region is not aligned to 4 KiB";
    if (phys >> bits)
        return "the region is above the CPU's physical address width";
    if (size > PAGE_SIZE)
        return "the CPU asks for regions larger than 4 KiB";
    if (type != MEMORY_WRITE_BACK)
        return "the CPU asks for regions in memory that is not write-back";
    return NULL;
}
