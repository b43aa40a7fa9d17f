/* SPDX-License-Identifier: BSD-2-Clause */
/* The hand-over of the interrupt controllers by a firmware that left them in use, with simulated
 * local APIC, IOAPICs and IOMMU: no emulator here leaves them so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/cpus.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/interrupt.h"
#include "hypervisor/cpu/ioapic.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"

#define PINS      24
#define IOAPICS   3
#define MASKED    0x10000u
#define SMI       0x200u
#define APIC_BASE 0x1b
#define X2APIC    0x800
#define X2_BIT    BIT(21)
#define DEADLINE  BIT(24)

/* The local APIC's registers, by their number in x2APIC mode. */
enum {
    ID = 2,
    VERSION,
    TPR = 8,
    EOI = 0xb,
    ISR = 0x10,
    CMCI = 0x2f,
    THERMAL = 0x33,
    PERFORMANCE,
    LINT0
};

static struct {
    bool x2apic, stuck; /* stuck: no EOI ends anything */
    uint32_t local[0x40];
    unsigned eois;
    uint64_t tsc;
    struct {
        uint32_t index, redirection[2 * PINS];
    } ioapics[IOAPICS];
    uint32_t remapping_status;
} machine;
static struct acpi_info acpi;

/* Where each device is, in physical memory. */
#define LOCAL_PHYS     0xfee00000
#define IOAPIC_PHYS(i) (0xfec00000 + 0x400ULL * (i))
#define REMAPPING_PHYS 0xfed90000

static uint32_t read_local(uint32_t reg)
{
    assert_in_range(reg, 0, ARRAY_SIZE(machine.local) - 1);
    /* what is not there must not be touched: a #GP in x2APIC mode */
    assert_false(reg == CMCI && (machine.local[VERSION] >> 16 & 0xff) < 6);
    return machine.local[reg];
}

static void write_local(uint32_t reg, uint32_t value)
{
    read_local(reg);
    if (reg != EOI) {
        machine.local[reg] = value;
        return;
    }
    machine.eois++;
    for (int i = 7; i >= 0 && !machine.stuck; i--)
        if (machine.local[ISR + i] != 0) {
            machine.local[ISR + i] &= ~(1u << (31 - __builtin_clz(machine.local[ISR + i])));
            return;
        }
}

volatile uint32_t *host_map_registers(uint64_t phys, uint64_t size)
{
    return (void *)phys; /* for mmio_read and mmio_write alone */
}

static uint32_t *ioapic_register(uint64_t phys)
{
    unsigned i = (phys - IOAPIC_PHYS(0)) / 0x400;
    uint64_t offset = phys - IOAPIC_PHYS(i);

    assert_in_range(i, 0, IOAPICS - 1);
    if (offset == 0)
        return &machine.ioapics[i].index;
    assert_int_equal(offset, 0x10);
    assert_in_range(machine.ioapics[i].index, 0x10, 0x10 + 2 * PINS - 1);
    return &machine.ioapics[i].redirection[machine.ioapics[i].index - 0x10];
}

uint32_t mmio_read(const volatile uint32_t *reg)
{
    uint64_t phys = (uint64_t)reg;

    if (phys >= LOCAL_PHYS)
        return read_local((phys - LOCAL_PHYS) / 16);
    if (phys >= REMAPPING_PHYS) {
        assert_int_equal(phys, REMAPPING_PHYS + 0x1c);
        return machine.remapping_status;
    }
    if (phys % 0x400 == 0x10 && machine.ioapics[(phys - IOAPIC_PHYS(0)) / 0x400].index == 1)
        return (PINS - 1) << 16 | 0x20;
    return *ioapic_register(phys);
}

void mmio_write(volatile uint32_t *reg, uint32_t value)
{
    uint64_t phys = (uint64_t)reg;

    if (phys >= LOCAL_PHYS)
        write_local((phys - LOCAL_PHYS) / 16, value);
    else
        *ioapic_register(phys) = value;
}

uint32_t cpu_apic_id(const struct cpu_block *block)
{
    return apic_id();
}

void log_record(enum log_kind kind, uint8_t vm, const char *fmt, ...)
{
}

void panic_begin(void)
{
    fail();
}

void panic_finish_here(void)
{
    abort();
}

uint64_t rdmsr(uint32_t index)
{
    if (index == APIC_BASE)
        return LOCAL_PHYS;
    assert_true(machine.x2apic);
    return read_local(index - X2APIC);
}

void wrmsr(uint32_t index, uint64_t value)
{
    if (index != APIC_BASE)
        write_local(index - X2APIC, (uint32_t)value);
}

struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    return (struct cpuid_result){.ecx = DEADLINE | (machine.x2apic ? X2_BIT : 0)};
}

uint64_t rdtsc(void)
{
    return machine.tsc += 1000;
}

uint64_t tsc_khz(void)
{
    return 1000000;
}

void outb(uint16_t port, uint8_t value)
{
}

static void begin(bool x2apic, uint32_t max_lvt)
{
    memset(&machine, 0, sizeof(machine));
    machine.x2apic = x2apic;
    machine.local[VERSION] = max_lvt << 16 | 0x15;
    machine.local[ID] = x2apic ? 3 : 3u << 24;
    acpi = (struct acpi_info){.ioapic_count = IOAPICS};
    acpi.isa[4] = (struct acpi_irq){.gsi = PINS + 5, .level = true};
    for (unsigned i = 0; i < IOAPICS; i++)
        acpi.ioapics[i] = (struct acpi_ioapic){IOAPIC_PHYS(i), i * PINS};
}

#define VECTOR 0x41 /* of the device at the acpi's ISA interrupt 4 */

static bool route(void)
{
    apic_init(&acpi);
    return ioapic_route(&acpi.isa[4], VECTOR, apic_id());
}

/* All of them masked, whatever they were, but for the one that is routed: input 5 of the second. */
static void hand_over(bool x2apic)
{
    begin(x2apic, 6);
    machine.local[ISR + 1] = 1;
    assert_true(route());
    for (unsigned i = 0; i < IOAPICS; i++)
        for (unsigned pin = 0; pin < PINS; pin++)
            assert_int_equal(machine.ioapics[i].redirection[2 * pin],
                             i == 1 && pin == 5 ? VECTOR | 0x8000 : MASKED);
    assert_int_equal(machine.ioapics[1].redirection[2 * 5 + 1], 3u << 24);
    assert_int_equal(machine.local[LINT0], MASKED);
    assert_int_equal(machine.local[TPR], 0x10);
    assert_int_equal(machine.eois, 1);
}

static void x2apic_mode(void **state)
{
    hand_over(true);
}

/* The last test: Lintel never goes back. */
static void xapic_mode(void **state)
{
    hand_over(false);
}

static void stays_masked(void)
{
    assert_false(route());
    for (unsigned i = 0; i < IOAPICS; i++)
        for (unsigned pin = 0; pin < PINS; pin++)
            assert_int_equal(machine.ioapics[i].redirection[2 * pin], MASKED);
}

/* No IOAPIC has the line, it is remapped, or this CPU is not to be named in eight bits. What a PCI
 * function sends goes the same way. */
static void cannot_interrupt(void **state)
{
    begin(true, 6);
    acpi.isa[4].gsi = IOAPICS * PINS;
    stays_masked();

    begin(true, 6);
    acpi.remapping[acpi.remapping_count++] = REMAPPING_PHYS;
    machine.remapping_status = 0x7dffffff;
    assert_true(route());
    assert_int_equal(interrupt_message_address(NULL), 0xfee00000 | apic_id() << 12);
    machine.remapping_status = 0x02000000; /* IRES */
    stays_masked();
    assert_int_equal(interrupt_message_address(NULL), 0);

    begin(true, 6);
    machine.local[ID] = 255;
    stays_masked();
    assert_int_equal(interrupt_message_address(NULL), 0);
    machine.local[ID] = 254;
    assert_true(route());
    assert_int_equal(interrupt_message_address(NULL), 0xfeefe000);
}

/* Until nothing is in service, and not for ever. */
static void in_service(void **state)
{
    begin(true, 6);
    machine.local[ISR + 1] = 0x80000001;
    machine.local[ISR + 7] = 0x10;
    apic_init(&acpi);
    assert_int_equal(machine.eois, 3);

    begin(true, 6);
    memset(&machine.local[ISR], 0xff, 8 * sizeof(uint32_t));
    machine.stuck = true;
    apic_init(&acpi);
    assert_int_equal(machine.eois, 256);
}

/* Each entry that there is; what the firmware gets itself stays. */
static void local_entries(void **state)
{
    for (uint32_t max_lvt = 3; max_lvt < 8; max_lvt++) {
        begin(true, max_lvt);
        machine.local[LINT0] = 0x700;
        machine.local[PERFORMANCE] = machine.local[CMCI] = 0x400;
        machine.local[THERMAL] = 0x30;
        apic_init(&acpi);
        assert_int_equal(machine.local[LINT0], MASKED);
        assert_int_equal(machine.local[PERFORMANCE], max_lvt >= 4 ? MASKED : 0x400);
        assert_int_equal(machine.local[THERMAL], max_lvt >= 5 ? MASKED : 0x30);
        assert_int_equal(machine.local[CMCI], max_lvt >= 6 ? MASKED : 0x400);
    }
    begin(true, 6);
    machine.local[THERMAL] = SMI;
    apic_init(&acpi);
    assert_int_equal(machine.local[THERMAL], SMI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x2apic_mode), cmocka_unit_test(cannot_interrupt),
        cmocka_unit_test(in_service),  cmocka_unit_test(local_entries),
        cmocka_unit_test(xapic_mode),
    };

    return cmocka_run_group_tests_name("interrupt controllers", tests, NULL, NULL);
}
