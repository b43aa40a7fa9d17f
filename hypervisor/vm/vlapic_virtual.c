/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC while the processor delivers its interrupts (R40, R41; SDM volume 3,
 * "Virtual-Interrupt Delivery"). The page then says all; what vlapic.c keeps beside it is worked
 * out again in one place, when software takes over.
 */
#include "hypervisor/vm/vlapic_page.h"

#define REGISTER_WORDS 8

/* Bit n: word n of a 256-bit register has a bit set. */
static uint8_t used_words(const struct vlapic *l, unsigned offset)
{
    unsigned words = 0;
    for (unsigned n = 0; n < REGISTER_WORDS; n++)
        words |= (unsigned)(*apic_word(l, offset, n) != 0) << n;
    return (uint8_t)words;
}

/* RVI and SVI know no "none": that is 0. */
static unsigned highest_or_0(const struct vlapic *l, unsigned offset)
{
    unsigned words = used_words(l, offset);
    return words == 0 ? 0 : (unsigned)apic_highest(l, offset, words);
}

bool vlapic_can_hand_over(const struct vlapic *l)
{
    return vlapic_mode(l) == VLAPIC_X2APIC && apic_software_enabled(l);
}

uint16_t vlapic_hand_over(struct vlapic *l)
{
    l->handed_over = true;
    l->levels_changed = true;
    l->pending = VLAPIC_NONE;
    return (uint16_t)(highest_or_0(l, APIC_ISR) << 8 | highest_or_0(l, APIC_IRR));
}

void vlapic_take_back(struct vlapic *l)
{
    l->handed_over = false;
    l->irr_words = used_words(l, APIC_IRR);
    l->isr_words = used_words(l, APIC_ISR);
    apic_update_priority(l);
}

uint16_t vlapic_request(struct vlapic *l, uint16_t status)
{
    int vector = l->pending;
    l->pending = VLAPIC_NONE;
    return vector > (status & 0xff) ? (uint16_t)((status & 0xff00) | vector) : status;
}

void vlapic_halted(struct vlapic *l, uint16_t status)
{
    int requested = status & 0xff;
    if (requested != 0 && requested > l->pending)
        l->pending = requested; /* whether it exceeds PPR is for vlapic_wakes */
}

uint64_t vlapic_eoi_exits(const struct vlapic *l, unsigned n)
{
    return (uint64_t)*apic_word(l, APIC_TMR, 2 * n + 1) << 32 | *apic_word(l, APIC_TMR, 2 * n);
}
