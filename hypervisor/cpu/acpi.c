/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI specification, chapter "ACPI Software Programming Model": RSDP, RSDT, XSDT, FADT, MADT. */
#include "hypervisor/cpu/acpi.h"

#include "lib/bits.h"
#include "lib/string.h"

#define IOAPIC_DEFAULT 0xfec00000

static void read_fadt(const struct acpi_header *table, struct acpi_info *info)
{
    const struct acpi_fadt *fadt = (const void *)table;

    if (table->length > offsetof(struct acpi_fadt, pm_timer_length) && fadt->pm_timer_length == 4)
        info->pm_timer_port = (uint16_t)fadt->pm_timer;
}

static void add_cpu(uint32_t id, uint32_t flags, struct acpi_info *info)
{
    if (!(flags & MADT_ENABLED))
        return;
    if (info->cpu_count < CPUS_MAX)
        info->cpus[info->cpu_count] = id;
    info->cpu_count++;
}

static void read_local_apic(const void *entry, struct acpi_info *info)
{
    const struct acpi_madt_local_apic *e = entry;

    add_cpu(e->apic, e->flags, info);
}

static void read_x2apic(const void *entry, struct acpi_info *info)
{
    const struct acpi_madt_x2apic *e = entry;

    add_cpu(e->apic, e->flags, info);
}

static void read_io_apic(const void *entry, struct acpi_info *info)
{
    const struct acpi_madt_io_apic *e = entry;

    if (info->ioapic_count < ACPI_IOAPICS_MAX)
        info->ioapics[info->ioapic_count++] = (struct acpi_ioapic){e->address, e->first_interrupt};
}

static void read_override(const void *entry, struct acpi_info *info)
{
    const struct acpi_madt_override *e = entry;

    if (e->source < ACPI_ISA_IRQS)
        info->isa[e->source] = (struct acpi_irq){
            .gsi = e->interrupt,
            .active_low = (e->flags & OVERRIDE_POLARITY) == OVERRIDE_ACTIVE_LOW,
            .level = (e->flags & OVERRIDE_TRIGGER) == OVERRIDE_LEVEL,
        };
}

static const struct {
    uint8_t type, size;
    void (*read)(const void *entry, struct acpi_info *info);
} madt_entries[] = {
    {MADT_LOCAL_APIC, sizeof(struct acpi_madt_local_apic), read_local_apic},
    {MADT_IO_APIC, sizeof(struct acpi_madt_io_apic), read_io_apic},
    {MADT_OVERRIDE, sizeof(struct acpi_madt_override), read_override},
    {MADT_X2APIC, sizeof(struct acpi_madt_x2apic), read_x2apic},
};

static void read_madt(const struct acpi_header *table, struct acpi_info *info)
{
    const uint8_t *e = (const uint8_t *)table + sizeof(struct acpi_madt),
                  *end = (const uint8_t *)table + table->length;

    for (; e + 2 <= end && e[1] >= 2 && e + e[1] <= end; e += e[1])
        for (unsigned i = 0; i < ARRAY_SIZE(madt_entries); i++)
            if (e[0] == madt_entries[i].type && e[1] >= madt_entries[i].size)
                madt_entries[i].read(e, info);
}

static void read_dmar(const struct acpi_header *table, struct acpi_info *info)
{
    const struct acpi_dmar_unit *unit;

    for (uint32_t at = sizeof(struct acpi_dmar); at + sizeof(*unit) <= table->length;
         at += unit->length) {
        unit = (const void *)((const uint8_t *)table + at);
        if (unit->length < sizeof(unit->type) + sizeof(unit->length))
            return;
        if (unit->type == DMAR_UNIT && unit->length >= sizeof(*unit) &&
            info->remapping_count < ACPI_REMAPPING_MAX)
            info->remapping[info->remapping_count++] = unit->registers;
    }
}

static const struct {
    char signature[5];
    void (*read)(const struct acpi_header *table, struct acpi_info *info);
} readers[] = {{"FACP", read_fadt}, {"APIC", read_madt}, {"DMAR", read_dmar}};

/* A whole table, or NULL when it is not there or its checksum is wrong. */
static const struct acpi_header *find_table(uint64_t phys, const void *(*map)(uint64_t, uint64_t))
{
    const struct acpi_header *table = phys != 0 ? map(phys, sizeof(*table)) : NULL;
    uint8_t sum = 0;

    if (table == NULL || table->length < sizeof(*table))
        return NULL;
    const uint8_t *bytes = map(phys, table->length);
    for (uint32_t i = 0; bytes != NULL && i < table->length; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return bytes != NULL && sum == 0 ? table : NULL;
}

void acpi_read(const struct acpi_rsdp *rsdp, const void *(*map)(uint64_t phys, uint64_t size),
               struct acpi_info *info)
{
    bool extended = rsdp->revision >= 2 && rsdp->xsdt != 0;
    unsigned size = extended ? 8 : 4;

    *info = (struct acpi_info){0};
    for (uint32_t i = 0; i < ACPI_ISA_IRQS; i++)
        info->isa[i].gsi = i;
    const struct acpi_header *root = find_table(extended ? rsdp->xsdt : rsdp->rsdt, map);
    for (uint32_t at = sizeof(*root); root != NULL && at + size <= root->length; at += size) {
        uint64_t phys = 0;
        memcpy(&phys, (const uint8_t *)root + at, size);
        const struct acpi_header *table = find_table(phys, map);
        for (unsigned i = 0; table != NULL && i < ARRAY_SIZE(readers); i++)
            if (memcmp(table->signature, readers[i].signature, sizeof(table->signature)) == 0)
                readers[i].read(table, info);
    }
    if (info->ioapic_count == 0)
        info->ioapics[info->ioapic_count++].address = IOAPIC_DEFAULT;
}
