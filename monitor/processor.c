/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/processor.h"

#include <cpuid.h>

#define LEAF_FEATURES  0x80000001
#define LEAF_ADDRESSES 0x80000008
#define EDX_PAGE1GB    BIT(26)

void processor_page_tables(struct guest_memory *memory)
{
    unsigned eax, ebx, ecx, edx;

    __cpuid(LEAF_ADDRESSES, eax, ebx, ecx, edx);
    memory->beyond = GUEST_ADDRESS_BITS & ~(BIT(eax & 0xff) - 1);
    __cpuid(LEAF_FEATURES, eax, ebx, ecx, edx);
    memory->pages_1g = edx & EDX_PAGE1GB;
}

void processor_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    __cpuid_count(leaf, subleaf, out[0], out[1], out[2], out[3]);
}
