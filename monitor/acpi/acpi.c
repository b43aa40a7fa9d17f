/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI tables that tell the guest of the board: RSDP, XSDT, FADT, FACS, MADT and
 * the DSDT. R21. */
#include "monitor/acpi/acpi.h"

#include "abi/plan.h"
#include "lib/acpi.h"
#include "lib/string.h"
#include "monitor/acpi/dsdt.h"
#include "monitor/board.h"

/* Where each table lies. The FACS wants 64 bytes of alignment, the others have room to grow. */
#define RSDP_AT (ACPI_BASE + 0x000)
#define XSDT_AT (ACPI_BASE + 0x040)
#define FACS_AT (ACPI_BASE + 0x080)
#define FADT_AT (ACPI_BASE + 0x0c0)
#define MADT_AT (ACPI_BASE + 0x200)
#define DSDT_AT (ACPI_BASE + 0x400)

#define SPACE_IO      1
#define ACCESS_BYTES  1
#define ACCESS_WORDS  2
#define ACCESS_DWORDS 3

#define BOOT_LEGACY_DEVICES (1u << 0) /* COM1 and the RTC; no keyboard is behind the controller */
#define BOOT_NO_VGA         (1u << 2)

#define FADT_WBINVD          (1u << 0)
#define FADT_C1              (1u << 2)
#define FADT_NO_SLEEP_BUTTON (1u << 5) /* none among the fixed registers */
#define FADT_TIMER_32        (1u << 8)
#define FADT_RESET_REGISTER  (1u << 10)
#define LATENCY_NO_STATE     0xffff

#define OVERRIDE_ACTIVE_HIGH 0x1

struct madt {
    struct acpi_madt head;
    struct acpi_madt_io_apic io_apic;
    struct acpi_madt_override sci;
    struct acpi_madt_local_apic local_apics[PLAN_MAX_VCPUS];
} __attribute__((packed));

_Static_assert(sizeof(struct madt) <= DSDT_AT - MADT_AT, "the tables do not overlap");
_Static_assert(sizeof(struct acpi_fadt) <= MADT_AT - FADT_AT, "the tables do not overlap");

static uint8_t checksum(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t sum = 0;

    while (size-- > 0)
        sum += *bytes++;
    return (uint8_t)-sum;
}

static struct acpi_header header(const char *signature, size_t length, uint8_t revision)
{
    struct acpi_header h = {
        .length = (uint32_t)length, .revision = revision, .oem_revision = 1, .creator_revision = 1};

    memcpy(h.signature, signature, sizeof(h.signature));
    memcpy(h.oem_id, "LINTEL", sizeof(h.oem_id));
    memcpy(h.oem_table_id, "LINTEL  ", sizeof(h.oem_table_id));
    memcpy(h.creator_id, "LNTL", sizeof(h.creator_id));
    return h;
}

/* Puts a finished table in its place. */
static void place(const struct guest_memory *m, uint64_t at, struct acpi_header *table)
{
    table->checksum = checksum(table, table->length);
    memcpy(m->base + at, table, table->length);
}

static void place_rsdp(const struct guest_memory *m)
{
    struct acpi_rsdp r = {.revision = 2, .length = sizeof(r), .xsdt = XSDT_AT};

    memcpy(r.signature, "RSD PTR ", sizeof(r.signature));
    memcpy(r.oem_id, "LINTEL", sizeof(r.oem_id));
    r.checksum = checksum(&r, offsetof(struct acpi_rsdp, length));
    r.extended_checksum = checksum(&r, sizeof(r));
    memcpy(m->base + RSDP_AT, &r, sizeof(r));
}

static void place_xsdt(const struct guest_memory *m)
{
    struct {
        struct acpi_header header;
        uint64_t tables[2];
    } __attribute__((packed)) x = {header("XSDT", sizeof(x), 1), {FADT_AT, MADT_AT}};

    place(m, XSDT_AT, &x.header);
}

static void place_facs(const struct guest_memory *m)
{
    struct acpi_facs f = {.length = sizeof(f), .version = 2};

    memcpy(f.signature, "FACS", sizeof(f.signature));
    memcpy(m->base + FACS_AT, &f, sizeof(f));
}

static struct acpi_address ports(uint16_t port, uint8_t bytes, uint8_t access)
{
    return (struct acpi_address){SPACE_IO, bytes * 8, 0, access, port};
}

static void place_fadt(const struct guest_memory *m)
{
    struct acpi_fadt f = {
        .header = header("FACP", sizeof(f), 6),
        .facs = FACS_AT,
        .dsdt = DSDT_AT,
        .x_dsdt = DSDT_AT,
        .sci_interrupt = PM_SCI,
        .pm1a_event = PM_PORT + PM_EVENT,
        .pm1_event_length = 4,
        .pm1a_control = PM_PORT + PM_CONTROL,
        .pm1_control_length = 2,
        .pm_timer = PM_PORT + PM_TIMER,
        .pm_timer_length = 4,
        .c2_latency = LATENCY_NO_STATE,
        .c3_latency = LATENCY_NO_STATE,
        .century = RTC_CENTURY,
        .boot_flags = BOOT_LEGACY_DEVICES | BOOT_NO_VGA,
        .flags = FADT_WBINVD | FADT_C1 | FADT_NO_SLEEP_BUTTON | FADT_TIMER_32 | FADT_RESET_REGISTER,
        .reset_register = ports(RESET_CONTROL_PORT, 1, ACCESS_BYTES),
        .reset_value = RESET_CONTROL_VALUE,
        .minor_revision = 4,
        .x_pm1a_event = ports(PM_PORT + PM_EVENT, 4, ACCESS_WORDS),
        .x_pm1a_control = ports(PM_PORT + PM_CONTROL, 2, ACCESS_WORDS),
        .x_pm_timer = ports(PM_PORT + PM_TIMER, 4, ACCESS_DWORDS),
    };

    place(m, FADT_AT, &f.header);
}

/* No flag that says there are 8259s: there are none. The SCI is level-triggered, the ISA's other
 * lines are by edge. */
static void place_madt(const struct guest_memory *m, unsigned vcpus)
{
    struct madt t = {
        .head = {.local_apic = LAPIC_BASE},
        .io_apic = {MADT_IO_APIC, sizeof(t.io_apic), 0, 0, IOAPIC_BASE, 0},
        .sci = {MADT_OVERRIDE, sizeof(t.sci), 0, PM_SCI, PM_SCI,
                OVERRIDE_ACTIVE_HIGH | OVERRIDE_LEVEL},
    };

    for (unsigned i = 0; i < vcpus; i++)
        t.local_apics[i] = (struct acpi_madt_local_apic){MADT_LOCAL_APIC, sizeof(t.local_apics[i]),
                                                         (uint8_t)i, (uint8_t)i, MADT_ENABLED};
    t.head.header = header("APIC", offsetof(struct madt, local_apics[vcpus]), 5);
    place(m, MADT_AT, &t.head.header);
}

void acpi_build(const struct guest_memory *m, unsigned vcpus)
{
    place_rsdp(m);
    place_xsdt(m);
    place_facs(m);
    place_fadt(m);
    place_madt(m, vcpus);
    memcpy(m->base + DSDT_AT, acpi_dsdt, acpi_dsdt_size);
}
