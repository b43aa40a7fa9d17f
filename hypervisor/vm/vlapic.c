/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual local APIC: modes, acceptance, priorities and EOI (R40, R41). */
#include "hypervisor/vm/vlapic.h"
#include "hypervisor/vm/vlapic_page.h"
#include "lib/bits.h"
#include "lib/string.h"

/* ID and LDR look different in each mode: SDM volume 3, "Logical Destination Mode
 * in x2APIC Mode". */
static void set_identity(struct vlapic *l)
{
    if (vlapic_mode(l) == VLAPIC_X2APIC) {
        *apic_reg(l, APIC_ID) = l->id;
        *apic_reg(l, APIC_LDR) = (l->id >> 4) << 16 | 1u << (l->id & 0xf);
    } else {
        *apic_reg(l, APIC_ID) = l->id << 24;
        *apic_reg(l, APIC_LDR) = 0;
    }
}

void vlapic_init(struct vlapic *l)
{
    *l = (struct vlapic){.page = l->page,
                         .base = l->base,
                         .id = l->id,
                         .pending = VLAPIC_NONE,
                         .due = VLAPIC_NEVER,
                         .least_period = l->least_period};
    memset(l->page, 0, PAGE_SIZE);
    set_identity(l);
    *apic_reg(l, APIC_VERSION) = APIC_VERSION_VALUE;
    *apic_reg(l, APIC_DFR) = UINT32_MAX;
    *apic_reg(l, APIC_SVR) = 0xff;
    for (unsigned lvt = APIC_LVT_TIMER; lvt <= APIC_LVT_ERROR; lvt += 0x10)
        *apic_reg(l, lvt) = LVT_MASKED;
}

void vlapic_reset(struct vlapic *l, uint32_t *page, uint32_t id, bool bsp)
{
    l->page = page;
    l->id = id;
    l->base = APIC_BASE_DEFAULT | APIC_BASE_ENABLE | (bsp ? APIC_BASE_BSP : 0);
    vlapic_init(l);
}

/* SDM volume 3, "x2APIC State Transitions": x2APIC mode is come to from xAPIC mode alone, and left
 * only to be disabled. */
enum vlapic_result vlapic_write_base(struct vlapic *l, uint64_t value)
{
    const uint64_t flags = APIC_BASE_BSP | APIC_BASE_X2APIC | APIC_BASE_ENABLE;
    enum vlapic_mode from = vlapic_mode(l), to = vlapic_mode(&(struct vlapic){.base = value});

    if ((value & ~flags) != APIC_BASE_DEFAULT ||
        (value & APIC_BASE_X2APIC && !(value & APIC_BASE_ENABLE)) ||
        (from == VLAPIC_DISABLED && to == VLAPIC_X2APIC) ||
        (from == VLAPIC_X2APIC && to == VLAPIC_XAPIC))
        return VLAPIC_GP;
    l->base = value;
    if (to == from)
        return VLAPIC_OK;
    if (to == VLAPIC_X2APIC) {
        set_identity(l);
        *apic_reg(l, APIC_ICR_HIGH) = 0;
    } else {
        vlapic_init(l); /* switched off and on again, an APIC is as after reset */
    }
    return VLAPIC_OK;
}

static inline void set_vector(struct vlapic *l, unsigned offset, uint8_t *words, unsigned vector)
{
    *apic_word(l, offset, vector / 32) |= 1u << vector % 32;
    *words |= (uint8_t)(1u << vector / 32);
}

static inline void clear_vector(struct vlapic *l, unsigned offset, uint8_t *words, unsigned vector)
{
    uint32_t left = *apic_word(l, offset, vector / 32) &= ~(1u << vector % 32);
    if (left == 0)
        *words &= (uint8_t)~(1u << vector / 32);
}

static inline bool is_level(const struct vlapic *l, unsigned vector)
{
    return *apic_word(l, APIC_TMR, vector / 32) >> vector % 32 & 1;
}

static inline void set_level(struct vlapic *l, unsigned vector, bool level)
{
    if (is_level(l, vector) == level)
        return;
    *apic_word(l, APIC_TMR, vector / 32) ^= 1u << vector % 32;
    l->levels_changed = true;
}

/* SDM volume 3, "Task and Processor Priorities". */
void apic_update_priority(struct vlapic *l)
{
    int in_service = apic_highest(l, APIC_ISR, l->isr_words);
    int requested = apic_highest(l, APIC_IRR, l->irr_words);
    uint32_t tpr = *apic_reg(l, APIC_TPR);
    uint32_t ppr = tpr;
    if (in_service >= 0 && (uint32_t)in_service >> 4 > tpr >> 4)
        ppr = (uint32_t)in_service & 0xf0;
    *apic_reg(l, APIC_PPR) = ppr;
    l->pending = requested >> 4 > (int)(ppr >> 4) ? requested : VLAPIC_NONE;
}

void apic_error(struct vlapic *l, uint32_t esr_bit)
{
    bool first = l->errors == 0;
    l->errors |= esr_bit;
    uint32_t lvt = *apic_reg(l, APIC_LVT_ERROR);
    if (first && !(lvt & LVT_MASKED))
        vlapic_deliver(l, (uint8_t)lvt, false);
}

bool vlapic_accepts(const struct vlapic *l)
{
    return l->base & APIC_BASE_ENABLE && apic_software_enabled(l);
}

bool vlapic_deliver(struct vlapic *l, uint8_t vector, bool level)
{
    if (!(l->base & APIC_BASE_ENABLE) || !apic_software_enabled(l))
        return false;
    if (vector < APIC_FIRST_VECTOR) {
        apic_error(l, ESR_RECEIVE_ILLEGAL_VECTOR);
        return false;
    }
    set_vector(l, APIC_IRR, &l->irr_words, vector);
    set_level(l, vector, level);
    if (vector > l->pending && (vector >> 4 > (int)(*apic_reg(l, APIC_PPR) >> 4) || l->handed_over))
        l->pending = vector;
    return true;
}

bool vlapic_wakes(const struct vlapic *l)
{
    return l->pending >> 4 > (int)(*apic_reg(l, APIC_PPR) >> 4);
}

void vlapic_accept(struct vlapic *l, uint8_t vector)
{
    clear_vector(l, APIC_IRR, &l->irr_words, vector);
    set_vector(l, APIC_ISR, &l->isr_words, vector);
    /* It was the highest in IRR and above PPR: now it is PPR, and nothing else in
     * IRR exceeds it. */
    *apic_reg(l, APIC_PPR) = vector & 0xf0;
    l->pending = VLAPIC_NONE;
}

int vlapic_eoi(struct vlapic *l)
{
    int vector = apic_highest(l, APIC_ISR, l->isr_words);
    if (vector < 0)
        return VLAPIC_NONE;
    clear_vector(l, APIC_ISR, &l->isr_words, (unsigned)vector);
    apic_update_priority(l);
    return is_level(l, (unsigned)vector) ? vector : VLAPIC_NONE;
}

void vlapic_write_cr8(struct vlapic *l, uint64_t value)
{
    *apic_reg(l, APIC_TPR) = (uint32_t)value << 4;
    apic_update_priority(l);
}

uint64_t vlapic_read_cr8(const struct vlapic *l)
{
    return *apic_reg(l, APIC_TPR) >> 4;
}
