/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of the local APIC's registers, for the files that make up the virtual one (R41; SDM
 * volume 3, "The Local APIC Block Diagram"). */
#ifndef VM_VLAPIC_PAGE_H
#define VM_VLAPIC_PAGE_H

#include "hypervisor/vm/vlapic.h"

/* Offsets into the page. */
enum apic_register {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30,
    APIC_TPR = 0x80,
    APIC_PPR = 0xa0,
    APIC_EOI = 0xb0,
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0,
    APIC_SVR = 0xf0,
    APIC_ISR = 0x100,
    APIC_TMR = 0x180,
    APIC_IRR = 0x200,
    APIC_ESR = 0x280,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310, /* xAPIC mode; in x2APIC mode the ICR has 64 bits at APIC_ICR */
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_THERMAL = 0x330,
    APIC_LVT_PERFORMANCE = 0x340,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_INITIAL_COUNT = 0x380,
    APIC_CURRENT_COUNT = 0x390,
    APIC_DIVIDE = 0x3e0,
    APIC_SELF_IPI = 0x3f0,
    APIC_REGISTERS_END = 0x400,
};

/* An integrated APIC with six LVT entries, without EOI-broadcast suppression. */
#define APIC_VERSION_VALUE 0x00050014u

#define SVR_ENABLE 0x100u

#define LVT_MASKED         0x10000u
#define LVT_STATUS         0x01000u
#define LVT_REMOTE_IRR     0x04000u
#define LVT_TIMER_MODE     0x60000u
#define LVT_TIMER_PERIODIC 0x20000u
#define LVT_TIMER_DEADLINE 0x40000u

/* ESR. */
#define ESR_SEND_ILLEGAL_VECTOR    0x20u
#define ESR_RECEIVE_ILLEGAL_VECTOR 0x40u
#define ESR_ILLEGAL_REGISTER       0x80u

/* Vectors below this are illegal for fixed interrupts. */
#define APIC_FIRST_VECTOR 16

static inline uint32_t *apic_reg(const struct vlapic *l, unsigned offset)
{
    return &l->page[offset / 4];
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

#endif
