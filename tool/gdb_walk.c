/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/gdb_walk.h"

#include "lib/x86.h"

/* 32-bit paging: a 4 MiB page has bits 39:32 of its address in bits 20:13. */
#define ENTRY4M_BASE       0xffc00000ULL
#define ENTRY4M_HIGH       0x001fe000ULL
#define ENTRY4M_HIGH_SHIFT 19

#define SHIFT_PML4 39
#define SHIFT_PAE  21 /* below the PDPTEs, which the processor holds */
#define SHIFT_PAGE 12

/* From the table whose entries map 1 << shift bytes on. */
static bool walk_64(uint64_t table, unsigned shift, uint64_t linear, gdb_entry_reader *read,
                    void *context, uint64_t *gpa)
{
    for (uint64_t entry;; shift -= 9, table = entry) {
        uint64_t offset = (1ULL << shift) - 1;
        if (!read(context, (table & ENTRY_ADDRESS) + (linear >> shift & 0x1ff) * 8, 8, &entry) ||
            !(entry & ENTRY_P))
            return false;
        if (shift == SHIFT_PAGE || (entry & ENTRY_PS && shift != SHIFT_PML4)) {
            *gpa = (entry & ENTRY_ADDRESS & ~offset) | (linear & offset);
            return true;
        }
    }
}

static bool walk_32(const struct guest_state *state, uint64_t linear, gdb_entry_reader *read,
                    void *context, uint64_t *gpa)
{
    uint64_t entry;

    if (!read(context, (state->cr3 & 0xfffff000) + (linear >> 22) * 4, 4, &entry) ||
        !(entry & ENTRY_P))
        return false;
    if (entry & ENTRY_PS && state->cr4 & CR4_PSE) {
        *gpa = (entry & ENTRY4M_BASE) | (entry & ENTRY4M_HIGH) << ENTRY4M_HIGH_SHIFT |
               (linear & ~ENTRY4M_BASE);
        return true;
    }
    if (!read(context, (entry & 0xfffff000) + (linear >> 12 & 0x3ff) * 4, 4, &entry) ||
        !(entry & ENTRY_P))
        return false;
    *gpa = (entry & 0xfffff000) | (linear & 0xfff);
    return true;
}

bool gdb_walk(const struct guest_state *state, uint64_t linear, gdb_entry_reader *read,
              void *context, uint64_t *gpa)
{
    if (state->efer & EFER_LMA)
        return (uint64_t)((int64_t)(linear << 16) >> 16) == linear &&
               walk_64(state->cr3, SHIFT_PML4, linear, read, context, gpa);
    linear = (uint32_t)linear;
    if (!(state->cr0 & CR0_PG)) {
        *gpa = linear;
        return true;
    }
    if (!(state->cr4 & CR4_PAE))
        return walk_32(state, linear, read, context, gpa);
    uint64_t pdpte = state->pdpte[linear >> 30];
    return pdpte & ENTRY_P && walk_64(pdpte, SHIFT_PAE, linear, read, context, gpa);
}
