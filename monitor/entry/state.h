/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the entry checks share: a VMCS's controls and modes, read once (R9). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/bits.h"
#include "monitor/entry/checks.h"
#include "monitor/x86.h"

struct entry_state {
    const struct vmcs_values *vmcs;
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

#define EFER_DEFINED ((uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE))

/* The value of the field VMCS_id. */
#define entry_field(state, id) ((state)->vmcs->field[VMCS_INDEX_##id])

/* Whether a physical address is aligned to a power of two and within the CPU's width. */
static inline bool entry_address_ok(const struct entry_state *state, uint64_t address,
                                    uint64_t align)
{
    return is_aligned(address, align) && !(address >> state->vmcs->caps.physical_bits);
}

/* SDM volume 3, "Checks on Guest Segment Registers"; the rest of the guest's checks are in
 * guest.c. */
const char *entry_check_segments(const struct entry_state *state);

struct entry_state entry_state_read(const struct vmcs_values *vmcs);
