/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI specification, chapter "ACPI Software Programming Model": RSDP, RSDT, XSDT, FADT, MADT. */
#include "hypervisor/cpu/acpi.h"

#include "lib/bits.h"
#include "lib/string.h"

#define IOAPIC_DEFAULT 0xfec00000

struct table_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[26];
};

_Static_assert(sizeof(struct table_header) == 36, "ACPI's layout");

#define FADT_PM_TIMER     76
#define FADT_PM_TIMER_LEN 91

#define MADT_ENTRIES     44
#define MADT_CPU_ENABLED 1

#define DMAR_ENTRIES 48
#define DMAR_HEAD    4 /* type and size of an entry */
#define DMAR_DRHD    0 /* a unit */
#define DRHD_SIZE    16

static uint64_t read_le(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static void read_fadt(const uint8_t *fadt, uint32_t length, struct acpi_info *info)
{
    if (length > FADT_PM_TIMER_LEN && fadt[FADT_PM_TIMER_LEN] == 4)
        info->pm_timer_port = (uint16_t)read_le(fadt + FADT_PM_TIMER, 4);
}

static void read_override(const uint8_t *e, struct acpi_info *info)
{
    uint16_t flags = (uint16_t)read_le(e + 8, 2);

    if (e[3] < ACPI_ISA_IRQS)
        info->isa[e[3]] = (struct acpi_irq){
            .gsi = (uint32_t)read_le(e + 4, 4),
            .active_low = (flags & 3) == 3,
            .level = (flags >> 2 & 3) == 3,
        };
}

static void add_cpu(uint32_t id, uint64_t flags, struct acpi_info *info)
{
    if (!(flags & MADT_CPU_ENABLED))
        return;
    if (info->cpu_count < CPUS_MAX)
        info->cpus[info->cpu_count] = id;
    info->cpu_count++;
}

static void read_local_apic(const uint8_t *e, struct acpi_info *info)
{
    add_cpu(e[3], read_le(e + 4, 4), info);
}

static void read_local_x2apic(const uint8_t *e, struct acpi_info *info)
{
    add_cpu((uint32_t)read_le(e + 4, 4), read_le(e + 8, 4), info);
}

static void read_ioapic(const uint8_t *e, struct acpi_info *info)
{
    if (info->ioapic_count < ACPI_IOAPICS_MAX)
        info->ioapics[info->ioapic_count++] =
            (struct acpi_ioapic){read_le(e + 4, 4), (uint32_t)read_le(e + 8, 4)};
}

static const struct {
    uint8_t type, size;
    void (*read)(const uint8_t *entry, struct acpi_info *info);
} madt_entries[] = {{0, 8, read_local_apic},
                    {1, 12, read_ioapic},
                    {2, 10, read_override},
                    {9, 16, read_local_x2apic}};

static void read_madt(const uint8_t *madt, uint32_t length, struct acpi_info *info)
{
    for (uint32_t at = MADT_ENTRIES; at + 2 <= length && madt[at + 1] >= 2; at += madt[at + 1]) {
        if (at + madt[at + 1] > length)
            return;
        for (unsigned i = 0; i < ARRAY_SIZE(madt_entries); i++)
            if (madt[at] == madt_entries[i].type && madt[at + 1] >= madt_entries[i].size)
                madt_entries[i].read(madt + at, info);
    }
}

/* Intel Virtualization Technology for Directed I/O, "BIOS Considerations". */
static void read_dmar(const uint8_t *dmar, uint32_t length, struct acpi_info *info)
{
    uint32_t size;

    for (uint32_t at = DMAR_ENTRIES; at + DRHD_SIZE <= length; at += size) {
        size = (uint32_t)read_le(dmar + at + 2, 2);
        if (size < DMAR_HEAD)
            return;
        if (read_le(dmar + at, 2) == DMAR_DRHD && size >= DRHD_SIZE &&
            info->remapping_count < ACPI_REMAPPING_MAX)
            info->remapping[info->remapping_count++] = read_le(dmar + at + 8, 8);
    }
}

static const struct {
    char signature[5];
    void (*read)(const uint8_t *table, uint32_t length, struct acpi_info *info);
} readers[] = {{"FACP", read_fadt}, {"APIC", read_madt}, {"DMAR", read_dmar}};

/* A whole table, or NULL when it is not there or its checksum is wrong. */
static const uint8_t *find_table(uint64_t phys, const void *(*map)(uint64_t, uint64_t),
                                 uint32_t *length)
{
    const struct table_header *header = phys != 0 ? map(phys, sizeof(*header)) : NULL;
    uint8_t sum = 0;

    if (header == NULL || header->length < sizeof(*header))
        return NULL;
    *length = header->length;
    const uint8_t *table = map(phys, *length);
    for (uint32_t i = 0; table != NULL && i < *length; i++)
        sum = (uint8_t)(sum + table[i]);
    return sum == 0 ? table : NULL;
}

void acpi_read(const uint8_t rsdp[36], const void *(*map)(uint64_t phys, uint64_t size),
               struct acpi_info *info)
{
    bool extended = rsdp[15] >= 2 && read_le(rsdp + 24, 8) != 0;
    unsigned size = extended ? 8 : 4;
    uint32_t length;

    *info = (struct acpi_info){0};
    for (uint32_t i = 0; i < ACPI_ISA_IRQS; i++)
        info->isa[i].gsi = i;
    const uint8_t *root =
        find_table(extended ? read_le(rsdp + 24, 8) : read_le(rsdp + 16, 4), map, &length);
    for (uint32_t at = sizeof(struct table_header); root != NULL && at + size <= length;
         at += size) {
        uint32_t table_length;
        const uint8_t *table = find_table(read_le(root + at, size), map, &table_length);
        for (unsigned i = 0; table != NULL && i < ARRAY_SIZE(readers); i++)
            if (memcmp(table, readers[i].signature, 4) == 0)
                readers[i].read(table, table_length, info);
    }
    if (info->ioapic_count == 0)
        info->ioapics[info->ioapic_count++].address = IOAPIC_DEFAULT;
}
