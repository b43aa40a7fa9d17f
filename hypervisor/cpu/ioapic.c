/* SPDX-License-Identifier: BSD-2-Clause */
/* 82093AA IOAPIC data sheet; Intel Virtualization Technology for Directed I/O, "Interrupt
 * Remapping". */
#include "hypervisor/cpu/ioapic.h"

#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "lib/bits.h"
#include "lib/ioapic.h"
#include "lib/lock.h"

#define REGISTERS_SIZE 0x20
#define REDIRECTION(n) (IOAPIC_REDIRECTION + 2 * (n))
#define LAST_ID        254 /* 255 is all CPUs */

#define REMAPPING_STATUS 0x1c /* Global Status Register */
#define STATUS_IRES      BIT(25)

static struct ioapic {
    volatile uint32_t *registers;
    uint32_t gsi, pins; /* the first one's, and how many there are */
} ioapics[ACPI_IOAPICS_MAX];
static uint32_t ioapic_count;
static bool arrives; /* what devices send */

static const struct ioapic *find(uint32_t gsi)
{
    for (uint32_t i = 0; i < ioapic_count; i++)
        if (gsi - ioapics[i].gsi < ioapics[i].pins)
            return &ioapics[i];
    return NULL;
}

static uint32_t read(const struct ioapic *ioapic, uint32_t reg)
{
    mmio_write(ioapic->registers, reg);
    return mmio_read(ioapic->registers + IOAPIC_DATA / 4);
}

static void write(const struct ioapic *ioapic, uint32_t reg, uint32_t value)
{
    mmio_write(ioapic->registers, reg);
    mmio_write(ioapic->registers + IOAPIC_DATA / 4, value);
}

/* Masks all. */
static void add(const struct acpi_ioapic *row)
{
    struct ioapic *ioapic = &ioapics[ioapic_count++];

    *ioapic = (struct ioapic){.registers = host_map_registers(row->address, REGISTERS_SIZE),
                              .gsi = row->gsi};
    ioapic->pins = (read(ioapic, IOAPIC_VERSION) >> 16 & 0xff) + 1;
    for (uint32_t pin = 0; pin < ioapic->pins; pin++)
        write(ioapic, REDIRECTION(pin), REDIRECTION_MASKED);
}

static bool find_arrives(const struct acpi_info *acpi)
{
    for (uint32_t i = 0; i < acpi->remapping_count; i++)
        if (mmio_read(host_map_registers(acpi->remapping[i] + REMAPPING_STATUS, sizeof(uint32_t))) &
            STATUS_IRES)
            return false;
    return true;
}

void ioapic_init(const struct acpi_info *acpi)
{
    ioapic_count = 0;
    for (uint32_t i = 0; i < acpi->ioapic_count; i++)
        add(&acpi->ioapics[i]);
    arrives = find_arrives(acpi);
}

bool ioapic_arrives(uint32_t apic_id)
{
    return arrives && apic_id <= LAST_ID;
}

bool ioapic_route(const struct acpi_irq *irq, uint8_t vector, uint32_t apic_id)
{
    const struct ioapic *ioapic = find(irq->gsi);

    if (ioapic == NULL || !ioapic_arrives(apic_id))
        return false;
    write(ioapic, REDIRECTION(irq->gsi - ioapic->gsi) + 1,
          apic_id << (REDIRECTION_DESTINATION - 32));
    write(ioapic, REDIRECTION(irq->gsi - ioapic->gsi),
          vector | (irq->level ? REDIRECTION_LEVEL : 0) |
              (irq->active_low ? REDIRECTION_ACTIVE_LOW : 0));
    return true;
}

void ioapic_mask(uint32_t gsi, bool masked)
{
    static uint32_t lock; /* index and data belong together (R20) */
    const struct ioapic *ioapic = find(gsi);
    uint32_t reg = REDIRECTION(gsi - ioapic->gsi);

    lock_take(&lock);
    uint32_t low = read(ioapic, reg) & ~(uint32_t)REDIRECTION_MASKED;
    write(ioapic, reg, masked ? low | REDIRECTION_MASKED : low);
    lock_release(&lock);
}
