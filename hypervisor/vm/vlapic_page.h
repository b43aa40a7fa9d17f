/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of the local APIC's registers, for the files that make up the virtual one (R41; SDM
 * volume 3, "The Local APIC Block Diagram"). */
#pragma once

#include <stddef.h>

#include "hypervisor/vm/vlapic.h"

/* An integrated APIC with six LVT entries, without EOI-broadcast suppression. */
#define APIC_VERSION_VALUE 0x00050014u

/* ESR. */
#define ESR_SEND_ILLEGAL_VECTOR    0x20u
#define ESR_RECEIVE_ILLEGAL_VECTOR 0x40u
#define ESR_ILLEGAL_REGISTER       0x80u

/* The ICR and the data of a message, whose other values of these have no effect but for INIT: its
 * level de-assert is a thing of the past. */
#define ICR_ASSERT 0x4000u
#define ICR_LEVEL  0x8000u

/* Vectors below this are illegal for fixed interrupts. */
#define APIC_FIRST_VECTOR 16

static inline uint32_t *apic_reg(const struct vlapic *l, unsigned offset)
{
    return &l->page[offset / 4];
}

/* Word n of one of the 256-bit registers. */
static inline uint32_t *apic_word(const struct vlapic *l, unsigned offset, unsigned n)
{
    return &l->page[offset / 4 + 4 * (size_t)n];
}

/* The number of the highest bit that is set; value is not 0. */
static inline unsigned apic_highest_bit(uint32_t value)
{
    return 31 ^ (unsigned)__builtin_clz(value);
}

/* The highest vector of such a register, or VLAPIC_NONE; words says which of its words have bits.
 */
static inline int apic_highest(const struct vlapic *l, unsigned offset, unsigned words)
{
    if (words == 0)
        return VLAPIC_NONE;
    unsigned n = apic_highest_bit(words);
    return (int)(32 * n + apic_highest_bit(*apic_word(l, offset, n)));
}

static inline bool apic_software_enabled(const struct vlapic *l)
{
    return *apic_reg(l, APIC_SVR) & SVR_ENABLE;
}

/* An error happened: it is logged for ESR, and the first since ESR was written interrupts. */
void apic_error(struct vlapic *l, uint32_t esr_bit);

/* PPR and l->pending follow from TPR, ISR and IRR. */
void apic_update_priority(struct vlapic *l);

/* The undivided and divided timer: what the timer's registers mean now. */
uint32_t apic_current_count(const struct vlapic *l, uint64_t now);
void apic_timer_load(struct vlapic *l, uint32_t initial, uint64_t now);
void apic_timer_divide(struct vlapic *l, uint32_t divide, uint64_t now);
void apic_timer_lvt(struct vlapic *l, uint32_t lvt, uint64_t now);
