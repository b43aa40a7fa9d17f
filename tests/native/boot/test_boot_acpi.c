/* SPDX-License-Identifier: BSD-2-Clause */
/* What the firmware's ACPI tables say of the CPUs, the IOAPICs, the IOMMU and the PM timer (ACPI
 * specification, "System Description Table Header", "Multiple APIC Description Table", "Fixed ACPI
 * Description Table"; Intel Virtualization Technology for Directed I/O, "DMA Remapping Reporting
 * Structure"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "hypervisor/cpu/acpi.h"

#define HEADER 36
#define MADT   44 /* the header, the local APICs' address and flags */

#define DMAR 48 /* the header, the width of addresses, flags */

/* Physical memory: the root table at 0x100, the MADT at 0x200, the FADT at 0xf00, the DMAR at
 * 0x1000. */
static uint8_t memory[0x2000];

/* What the DMAR has; its length is 0 where there is none. */
static const uint8_t *units;
static uint32_t units_size;

static const void *map(uint64_t phys, uint64_t size)
{
    return phys + size <= sizeof(memory) ? memory + phys : NULL;
}

static void finish(uint8_t *table, const char *signature, uint32_t length)
{
    uint8_t sum = 0;

    memcpy(table, signature, 4);
    memcpy(table + 4, &length, 4);
    table[9] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)-sum;
}

/* The tables with these entries in the MADT, as acpi_read has them: by an RSDT or an XSDT. */
static struct acpi_info read_tables(const void *entries, size_t size, bool extended)
{
    uint8_t rsdp[36] = "RSD PTR ", *root = memory + 0x100;
    unsigned width = extended ? 8 : 4;
    struct acpi_info info;

    memset(memory, 0, sizeof(memory));
    rsdp[15] = extended ? 2 : 0;
    memcpy(rsdp + (extended ? 24 : 16), &(uint32_t){0x100}, 4);
    memcpy(root + HEADER, &(uint32_t){0xf00}, 4);
    memcpy(root + HEADER + width, &(uint32_t){0x200}, 4);
    memcpy(root + HEADER + 2 * width, &(uint32_t){0x1000}, 4);
    memcpy(memory + 0xf00 + 76, &(uint32_t){0xb008}, 4); /* PM_TMR_BLK */
    memory[0xf00 + 91] = 4;                              /* PM_TMR_LEN */
    memcpy(memory + 0x200 + MADT, entries, size);
    finish(memory + 0xf00, "FACP", 116);
    finish(memory + 0x200, "APIC", (uint32_t)(MADT + size));
    if (units != NULL) {
        memcpy(memory + 0x1000 + DMAR, units, units_size);
        finish(memory + 0x1000, "DMAR", DMAR + units_size);
    }
    finish(root, extended ? "XSDT" : "RSDT", HEADER + 3 * width);
    acpi_read((const void *)rsdp, map, &info);
    return info;
}

static void cpus(void **state)
{
    static const uint8_t entries[] = {
        0, 8,  0, 4, 1, 0, 0, 0,                         /* enabled */
        0, 8,  1, 5, 0, 0, 0, 0,                         /* not enabled */
        0, 8,  2, 6, 2, 0, 0, 0,                         /* could be enabled later */
        9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, /* an x2APIC id */
        9, 16, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* not enabled */
    };

    for (int extended = 0; extended < 2; extended++) {
        struct acpi_info info = read_tables(entries, sizeof(entries), extended);
        assert_int_equal(info.cpu_count, 2);
        assert_int_equal(info.cpus[0], 4);
        assert_int_equal(info.cpus[1], 0x100);
        assert_int_equal(info.pm_timer_port, 0xb008); /* the first table, too */
    }
}

static void more_cpus_than_there_is_room_for(void **state)
{
    uint8_t entries[(CPUS_MAX + 2) * 8] = {0};

    for (uint32_t i = 0; i < CPUS_MAX + 2; i++)
        memcpy(entries + 8 * i, (uint8_t[]){0, 8, 0, (uint8_t)i, 1, 0, 0, 0}, 8);
    struct acpi_info info = read_tables(entries, sizeof(entries), false);
    assert_int_equal(info.cpu_count, CPUS_MAX + 2);
    assert_int_equal(info.cpus[CPUS_MAX - 1], (CPUS_MAX - 1) & 0xff);
    assert_int_equal(info.remapping_count, 0); /* behind the last id */
}

/* An entry that goes on behind the table's end, or that has no length, ends the reading. */
static void damaged(void **state)
{
    static const uint8_t beyond[] = {0, 8, 0, 4, 1, 0, 0, 0, 0, 9, 0, 5, 1, 0, 0, 0};
    static const uint8_t none[] = {0, 8, 0, 4, 1, 0, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0};

    assert_int_equal(read_tables(beyond, sizeof(beyond), false).cpu_count, 1);
    assert_int_equal(read_tables(none, sizeof(none), false).cpu_count, 1);
}

static void ioapics(void **state)
{
    static const uint8_t one[] = {1, 12, 2, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0},
                         another[] = {1, 12, 3, 0, 0, 4, 0xc0, 0xfe, 24, 0, 0, 0};
    uint8_t entries[(ACPI_IOAPICS_MAX + 2) * sizeof(one)];
    struct acpi_info info = read_tables("", 0, false);

    assert_int_equal(info.ioapic_count, 1); /* a PC's, if nothing is told */
    assert_int_equal(info.ioapics[0].address, 0xfec00000);
    for (unsigned i = 0; i < ACPI_IOAPICS_MAX + 2; i++)
        memcpy(entries + i * sizeof(one), i == 1 ? another : one, sizeof(one));
    info = read_tables(entries, 2 * sizeof(one), false);
    assert_int_equal(info.ioapic_count, 2);
    assert_int_equal(info.ioapics[0].gsi, 0);
    assert_int_equal(info.ioapics[1].address, 0xfec00400);
    assert_int_equal(info.ioapics[1].gsi, 24);
    assert_int_equal(read_tables(entries, sizeof(entries), false).ioapic_count, ACPI_IOAPICS_MAX);
}

/* Two units, and between them a range of memory and an entry of another kind. An entry without a
 * size, or one that goes on behind the end, ends the reading. */
static void remapping(void **state)
{
    static const uint8_t table[] = {
        0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, /* a unit */
        1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0,    0,    0, 0, 0, 0, /* a range */
        0, 0, 0,  0, 0, 0, 0, 0,                               /* its end */
        3, 0, 8,  0, 0, 0, 0, 0,                               /* the other kind */
        0, 0, 24, 0, 1, 0, 0, 0, 0, 0, 0xd9, 0xfe, 1, 0, 0, 0, /* a unit */
        1, 8, 0,  0, 2, 0, 0, 1,                               /* its devices */
        0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, /* no size */
    };
    struct acpi_info info;

    units = table;
    units_size = sizeof(table);
    info = read_tables("", 0, true);
    assert_int_equal(info.remapping_count, 2);
    assert_int_equal(info.remapping[0], 0xfed90000);
    assert_int_equal(info.remapping[1], 0x1fed90000);
    units_size = 8;
    assert_int_equal(read_tables("", 0, true).remapping_count, 0);
    units = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpus),      cmocka_unit_test(more_cpus_than_there_is_room_for),
        cmocka_unit_test(damaged),   cmocka_unit_test(ioapics),
        cmocka_unit_test(remapping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
