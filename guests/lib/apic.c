/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC in both its modes. */
#include "guests/lib/apic.h"

#include "guests/lib/cpu.h"
#include "guests/lib/interrupt.h"

static enum apic_mode current;

static void on_spurious(struct interrupt_frame *frame)
{
}

void apic_enable(enum apic_mode mode)
{
    uint64_t base = rdmsr(MSR_IA32_APIC_BASE) | APIC_BASE_ENABLED;

    wrmsr(MSR_IA32_APIC_BASE, mode == APIC_X2 ? base | APIC_BASE_X2 : base);
    current = mode;
    interrupt_handle(SPURIOUS_VECTOR, on_spurious);
    apic_write(APIC_SVR, APIC_SVR_ENABLED | SPURIOUS_VECTOR);
    apic_write(APIC_TPR, 0);
}

static volatile uint32_t *in_page(unsigned reg)
{
    return (volatile uint32_t *)(APIC_PAGE + reg * 16);
}

uint32_t apic_read(unsigned reg)
{
    return current == APIC_X2 ? (uint32_t)rdmsr(MSR_IA32_X2APIC + reg) : *in_page(reg);
}

void apic_write(unsigned reg, uint32_t value)
{
    if (current == APIC_X2)
        wrmsr(MSR_IA32_X2APIC + reg, value);
    else
        *in_page(reg) = value;
}

int apic_vector_bit(unsigned first_register, uint8_t vector)
{
    return apic_read(first_register + vector / 32) >> vector % 32 & 1;
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

void apic_self_ipi(uint8_t vector)
{
    if (current == APIC_X2)
        apic_write(APIC_SELF_IPI, vector);
    else
        apic_write(APIC_ICR, APIC_ICR_SELF | vector);
}
