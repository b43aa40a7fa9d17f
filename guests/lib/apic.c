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
    uint64_t base = rdmsr(MSR_IA32_APIC_BASE) | APIC_BASE_ENABLE;

    wrmsr(MSR_IA32_APIC_BASE, mode == APIC_X2 ? base | APIC_BASE_X2APIC : base);
    current = mode;
    interrupt_handle(SPURIOUS_VECTOR, on_spurious);
    apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
    apic_write(APIC_TPR, 0);
}

static volatile uint32_t *in_page(unsigned number)
{
    return (volatile uint32_t *)(APIC_PAGE + number * 16);
}

uint32_t apic_read_number(unsigned number)
{
    return current == APIC_X2 ? (uint32_t)rdmsr(MSR_IA32_X2APIC + number) : *in_page(number);
}

void apic_write_number(unsigned number, uint32_t value)
{
    if (current == APIC_X2)
        wrmsr(MSR_IA32_X2APIC + number, value);
    else
        *in_page(number) = value;
}

int apic_vector_bit(enum apic_register first, uint8_t vector)
{
    return apic_read_number(first / 16 + vector / 32) >> vector % 32 & 1;
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
        apic_write(APIC_ICR, ICR_SELF | vector);
}
