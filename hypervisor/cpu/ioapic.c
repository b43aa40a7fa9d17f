/* SPDX-License-Identifier: BSD-2-Clause */
/* 82093AA IOAPIC data sheet; Intel Virtualization Technology for Directed I/O, "Interrupt
 * Remapping". */
#include "hypervisor/cpu/ioapic.h"

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/serial.h"
#include "lib/bits.h"

#define REGISTERS_SIZE 0x20 /* an index at 0, data at 10h */
#define DATA           4    /* double words */

#define VERSION        1
#define REDIRECTION(n) (0x10 + 2 * (n))
#define ACTIVE_LOW     0x2000
#define LEVEL          0x8000
#define MASKED         0x10000
#define DESTINATION    24
#define LAST_ID        254 /* 255 is all CPUs */

#define REMAPPING_STATUS 0x1c /* Global Status Register */
#define STATUS_IRES      BIT(25)

static volatile uint32_t *map_registers(uint64_t phys, uint64_t size)
{
    return host_map(phys, size, PAGING_W | PAGING_NX | PAGING_UC);
}

static void write(volatile uint32_t *ioapic, uint32_t reg, uint32_t value)
{
    mmio_write(ioapic, reg);
    mmio_write(ioapic + DATA, value);
}

/* Masks all; returns how many there are. */
static uint32_t mask(volatile uint32_t *ioapic)
{
    mmio_write(ioapic, VERSION);
    uint32_t pins = (mmio_read(ioapic + DATA) >> 16 & 0xff) + 1;

    for (uint32_t pin = 0; pin < pins; pin++)
        write(ioapic, REDIRECTION(pin), MASKED);
    return pins;
}

static bool arrives(const struct acpi_info *acpi)
{
    for (uint32_t i = 0; i < acpi->remapping_count; i++)
        if (mmio_read(map_registers(acpi->remapping[i] + REMAPPING_STATUS, sizeof(uint32_t))) &
            STATUS_IRES)
            return false;
    return apic_id() <= LAST_ID;
}

bool ioapic_init(const struct acpi_info *acpi)
{
    const struct acpi_irq *irq = &acpi->isa[SERIAL_IRQ];
    bool interrupts = false;

    for (uint32_t i = 0; i < acpi->ioapic_count; i++) {
        volatile uint32_t *ioapic = map_registers(acpi->ioapics[i].address, REGISTERS_SIZE);
        uint32_t pins = mask(ioapic), pin = irq->gsi - acpi->ioapics[i].gsi;
        if (pin >= pins || !arrives(acpi))
            continue;
        write(ioapic, REDIRECTION(pin) + 1, apic_id() << DESTINATION);
        write(ioapic, REDIRECTION(pin),
              VECTOR_SERIAL | (irq->level ? LEVEL : 0) | (irq->active_low ? ACTIVE_LOW : 0));
        interrupts = true;
    }
    return interrupts;
}
