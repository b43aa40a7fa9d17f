/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC in both its modes, behind one pair of functions. */
#pragma once

#include <stdint.h>

#include "lib/local_apic.h"

enum apic_mode { APIC_MEMORY, APIC_X2 };

#define APIC_PAGE 0xfee00000ULL

#define APIC_TIMER_ONE_SHOT 0x00000

#define SPURIOUS_VECTOR 0xff

/* Switches the APIC on in this mode. From x2APIC there is no way back (SDM volume 3, "x2APIC State
 * Transitions"). */
void apic_enable(enum apic_mode mode);

/* A register by its number in x2APIC mode, and by its offset in the page. */
uint32_t apic_read_number(unsigned number);
void apic_write_number(unsigned number, uint32_t value);

static inline uint32_t apic_read(enum apic_register reg)
{
    return apic_read_number(reg / 16);
}

static inline void apic_write(enum apic_register reg, uint32_t value)
{
    apic_write_number(reg / 16, value);
}

/* Whether a vector's bit is set in APIC_ISR, APIC_TMR or APIC_IRR. */
int apic_vector_bit(enum apic_register first, uint8_t vector);

void apic_eoi(void);

/* Sends a fixed interrupt to this CPU: SELF_IPI in x2APIC mode, otherwise the ICR's shorthand. */
void apic_self_ipi(uint8_t vector);
