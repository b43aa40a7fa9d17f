/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the entry checks share: a VMCS's controls and modes, read once (R9). */
#ifndef VMX_ENTRY_STATE_H
#define VMX_ENTRY_STATE_H

#include "hypervisor/vmx/entry_checks.h"

#include <stdbool.h>
#include <stdint.h>

struct entry_state {
    const struct vmcs_view *vmcs;
    uint32_t pin, proc, proc2, exit, entry;
    uint32_t event; /* VM-entry interruption information */
    uint64_t cr0, cr4, rflags;
    bool unrestricted, ia32e, virtual_8086;
};

/* Ends a check with what it found. */
#define REQUIRE(condition, words)                                                                  \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return words;                                                                          \
    } while (0)

#define CR0_PE    BIT(0)
#define CR0_WP    BIT(16)
#define CR0_PG    BIT(31)
#define CR4_PAE   BIT(5)
#define CR4_PCIDE BIT(17)
#define CR4_CET   BIT(23)

#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)
#define RFLAGS_VM BIT(17)

#define EFER_LME     BIT(8)
#define EFER_LMA     BIT(10)
#define EFER_DEFINED (BIT(0) | EFER_LME | EFER_LMA | BIT(11))

static inline uint64_t entry_field(const struct entry_state *state, enum vmcs_field field)
{
    return state->vmcs->read(state->vmcs->ctx, field);
}

/* Whether a physical address is aligned to a power of two and within the CPU's width. */
static inline bool entry_address_ok(const struct entry_state *state, uint64_t address,
                                    uint64_t align)
{
    return is_aligned(address, align) && !(address >> state->vmcs->caps->physical_bits);
}

/* Whether each of the eight entries of a PAT value is a memory type. */
bool entry_pat_ok(uint64_t pat);

/* SDM volume 3, "Checks on Guest Segment Registers"; the rest of the guest's checks are in
 * entry_guest.c. */
const char *entry_check_segments(const struct entry_state *state);

struct entry_state entry_state_read(const struct vmcs_view *vmcs);

#endif
