/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC in both its modes, behind one pair of functions. */
#pragma once

#include <stdint.h>

enum apic_mode { APIC_MEMORY, APIC_X2 };

/* Registers, by their number in x2APIC mode: the offset in the page divided by 16. */
#define APIC_ID            0x02
#define APIC_VERSION       0x03
#define APIC_TPR           0x08
#define APIC_PPR           0x0a
#define APIC_EOI           0x0b
#define APIC_LDR           0x0d
#define APIC_DFR           0x0e /* not in x2APIC mode */
#define APIC_SVR           0x0f
#define APIC_ISR           0x10
#define APIC_TMR           0x18
#define APIC_IRR           0x20
#define APIC_ESR           0x28
#define APIC_ICR           0x30
#define APIC_ICR_HIGH      0x31 /* not in x2APIC mode */
#define APIC_LVT_TIMER     0x32
#define APIC_INITIAL_COUNT 0x38
#define APIC_CURRENT_COUNT 0x39
#define APIC_DIVIDE        0x3e
#define APIC_SELF_IPI      0x3f /* only in x2APIC mode */

#define APIC_PAGE         0xfee00000ULL
#define APIC_BASE_BSP     0x100
#define APIC_BASE_X2      0x400
#define APIC_BASE_ENABLED 0x800

#define APIC_SVR_ENABLED        0x100
#define APIC_LVT_MASKED         0x10000
#define APIC_TIMER_ONE_SHOT     0x00000
#define APIC_TIMER_PERIODIC     0x20000
#define APIC_TIMER_TSC_DEADLINE 0x40000
#define APIC_DIVIDE_BY_1        0x0b
#define APIC_ICR_SELF           0x40000
#define APIC_ICR_PENDING        0x1000

#define SPURIOUS_VECTOR 0xff

/* Switches the APIC on in this mode. From x2APIC there is no way back (SDM volume 3, "x2APIC State
 * Transitions"). */
void apic_enable(enum apic_mode mode);

uint32_t apic_read(unsigned reg);
void apic_write(unsigned reg, uint32_t value);

/* Whether a vector's bit is set in APIC_ISR, APIC_TMR or APIC_IRR. */
int apic_vector_bit(unsigned first_register, uint8_t vector);

void apic_eoi(void);

/* Sends a fixed interrupt to this CPU: SELF_IPI in x2APIC mode, otherwise the ICR's shorthand. */
void apic_self_ipi(uint8_t vector);
