/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/interrupt.h"

#include "hypervisor/cpu/cpus.h"
#include "hypervisor/cpu/ioapic.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/panic.h"
#include "lib/ioapic.h"

static struct device {
    void (*handle)(void *argument);
    void *argument;
    uint32_t gsi;
    bool line;  /* an IOAPIC's */
    bool level; /* masked from when it comes until interrupt_done: the device goes on asking */
} devices[INTERRUPT_DEVICES];
static uint32_t device_count;

uint8_t interrupt_claim(void (*handle)(void *argument), void *argument)
{
    ASSERT(device_count < INTERRUPT_DEVICES);
    devices[device_count] = (struct device){.handle = handle, .argument = argument};
    return (uint8_t)(VECTOR_DEVICE + device_count++);
}

bool interrupt_route_isa(uint8_t vector, const struct acpi_info *acpi, uint32_t irq,
                         const struct cpu_block *cpu)
{
    struct device *d = &devices[vector - VECTOR_DEVICE];

    d->gsi = acpi->isa[irq].gsi;
    d->level = acpi->isa[irq].level;
    return d->line = ioapic_route(&acpi->isa[irq], vector, cpu_apic_id(cpu));
}

/* The data of the message is the vector. */
uint32_t interrupt_message_address(const struct cpu_block *cpu)
{
    uint32_t id = cpu_apic_id(cpu);

    return ioapic_arrives(id) ? MESSAGE_ADDRESS | id << MESSAGE_DESTINATION : 0;
}

void interrupt_done(uint8_t vector)
{
    const struct device *d = &devices[vector - VECTOR_DEVICE];

    if (d->level)
        ioapic_mask(d->gsi, false);
}

void interrupt_hold(uint8_t vector, bool held)
{
    const struct device *d = &devices[vector - VECTOR_DEVICE];

    if (d->line && !d->level)
        ioapic_mask(d->gsi, held);
}

void interrupt_device(uint8_t vector)
{
    const struct device *d = &devices[vector - VECTOR_DEVICE];

    if (d->level)
        ioapic_mask(d->gsi, true);
    d->handle(d->argument);
}
