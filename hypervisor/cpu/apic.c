/* SPDX-License-Identifier: BSD-2-Clause */
/* SDM volume 3, "Advanced Programmable Interrupt Controller"; 8259A data sheet. */
#include "hypervisor/cpu/apic.h"

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/ioapic.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/cpu/tsc.h"
#include "lib/bits.h"
#include "lib/local_apic.h"

#define VECTORS 256
/* A device's interrupt with a vector below 32 is not taken: it would look like an exception. */
#define TPR_NO_EXCEPTIONS 0x10
#define ICR_PATIENCE      100000 /* reads; then the message before is lost */
#define APIC_BASE_ADDRESS 0xfffffffff000ULL

/* This part of a millisecond is the least time that the timer is set for. */
#define LEAST_SHARE 100

static volatile uint32_t *xapic; /* NULL: x2APIC mode */
static bool has_tsc_deadline;
static uint32_t timer_khz;
static PER_CPU uint64_t armed; /* the TSC at which VECTOR_TIMER comes; UINT64_MAX: never */

static uint32_t apic_read(enum apic_register reg)
{
    return xapic != NULL ? mmio_read(&xapic[reg / 4]) : (uint32_t)rdmsr(MSR_IA32_X2APIC + reg / 16);
}

static void apic_write(enum apic_register reg, uint32_t value)
{
    if (xapic != NULL)
        mmio_write(&xapic[reg / 4], value);
    else
        wrmsr(MSR_IA32_X2APIC + reg / 16, value);
}

uint32_t apic_id(void)
{
    return xapic != NULL ? apic_read(APIC_ID) >> 24 : apic_read(APIC_ID);
}

void apic_send(uint32_t id, uint32_t command)
{
    if (xapic == NULL) {
        wrmsr(MSR_IA32_X2APIC + APIC_ICR / 16, (uint64_t)id << 32 | command);
        return;
    }
    for (uint32_t i = 0; i < ICR_PATIENCE && apic_read(APIC_ICR) & ICR_PENDING; i++)
        cpu_relax();
    apic_write(APIC_ICR_HIGH, id << 24);
    apic_write(APIC_ICR, command);
}

/* The PICs' vectors go where nothing else is, for the spurious interrupts that a masked PIC still
 * can raise. */
static void pic_disable(void)
{
    static const struct {
        uint8_t port, value;
    } writes[] = {{0x20, 0x11}, {0xa0, 0x11}, {0x21, 0x20}, {0xa1, 0x28}, {0x21, 4},
                  {0xa1, 2},    {0x21, 1},    {0xa1, 1},    {0x21, 0xff}, {0xa1, 0xff}};

    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++)
        outb(writes[i].port, writes[i].value);
}

/* How fast the timer counts, against the TSC, over a hundredth of a second. */
static void timer_measure(void)
{
    uint64_t start = rdtsc(), span = tsc_khz() * 10;

    apic_write(APIC_INITIAL_COUNT, UINT32_MAX);
    while (rdtsc() - start < span)
        cpu_relax();
    timer_khz = (UINT32_MAX - apic_read(APIC_CURRENT_COUNT)) / 10;
    apic_write(APIC_INITIAL_COUNT, 0);
}

/* What the firmware may have switched on, as far as there is such an entry: what it gets itself, by
 * an SMI, it keeps. */
static void mask_local(void)
{
    static const struct {
        enum apic_register reg;
        uint8_t max_lvt; /* where there is one */
    } entries[] = {{APIC_LVT_LINT0, 0},
                   {APIC_LVT_ERROR, 0},
                   {APIC_LVT_PERFORMANCE, 4},
                   {APIC_LVT_THERMAL, 5},
                   {APIC_LVT_CMCI, 6}};
    uint32_t max_lvt = apic_read(APIC_VERSION) >> 16 & 0xff;

    for (unsigned i = 0; i < ARRAY_SIZE(entries); i++)
        if (entries[i].max_lvt <= max_lvt && (apic_read(entries[i].reg) & LVT_MODE) != LVT_SMI)
            apic_write(entries[i].reg, LVT_MASKED);
}

static bool in_service(void)
{
    uint32_t any = 0;

    for (unsigned i = 0; i < VECTORS / 32; i++)
        any |= apic_read(APIC_ISR + 0x10 * i);
    return any != 0;
}

/* Enables the local APIC of this CPU, as it is to be used. */
static void enable(void)
{
    uint64_t base = rdmsr(MSR_IA32_APIC_BASE) | APIC_BASE_ENABLE;

    wrmsr(MSR_IA32_APIC_BASE, base);
    if (cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC)
        wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_X2APIC);
    else if (xapic == NULL)
        xapic = host_map_registers(base & APIC_BASE_ADDRESS, PAGE_SIZE);
}

/* The registers of this CPU's, with what comes at its second pin. */
static void set_up(uint32_t lint1)
{
    apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_TPR, TPR_NO_EXCEPTIONS);
    mask_local();
    apic_write(APIC_LVT_LINT1, lint1);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    if (!has_tsc_deadline && timer_khz == 0) {
        apic_write(APIC_LVT_TIMER, VECTOR_TIMER | LVT_MASKED);
        timer_measure();
    }
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (has_tsc_deadline ? LVT_TIMER_DEADLINE : 0));
    THIS_CPU(armed) = UINT64_MAX;
    for (unsigned i = 0; i < VECTORS && in_service(); i++)
        apic_eoi(); /* or what the firmware was at would keep ours out */
}

void apic_init(const struct acpi_info *acpi)
{
    has_tsc_deadline = cpuid(1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE;
    pic_disable();
    enable();
    set_up(LVT_NMI);
    ioapic_init(acpi);
}

void apic_init_other(void)
{
    enable();
    set_up(LVT_MASKED);
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

void apic_interrupt_self(uint8_t vector)
{
    apic_write(APIC_ICR, ICR_SELF | vector);
}

void apic_timer_fired(void)
{
    THIS_CPU(armed) = UINT64_MAX;
}

/* The TSC for which the timer is set in place of `tsc`, which a 32-bit count may not reach. */
static uint64_t start_count(uint64_t tsc)
{
    uint64_t now = rdtsc(), left = tsc > now ? tsc - now : 0,
             longest = (uint64_t)UINT32_MAX / 2 * tsc_khz() / timer_khz;

    left = min_u64(left, longest);
    apic_write(APIC_INITIAL_COUNT,
               (uint32_t)(left / tsc_khz() * timer_khz + left % tsc_khz() * timer_khz / tsc_khz()) +
                   1);
    return now + left;
}

/* An interrupt that comes at once would keep ring 3 from its next instruction. */
static uint64_t not_at_once(uint64_t tsc)
{
    return max_u64(tsc, rdtsc() + tsc_khz() / LEAST_SHARE);
}

void apic_timer_arm(struct cpu_block *cpu, uint64_t tsc)
{
    uint64_t *until = &CPU_OF(cpu, armed);

    if (tsc >= *until || (tsc = not_at_once(tsc)) >= *until)
        return;
    *until = tsc;
    if (has_tsc_deadline)
        wrmsr(MSR_IA32_TSC_DEADLINE, tsc);
    else
        *until = start_count(tsc);
}

void apic_timer_put_off(uint64_t tsc)
{
    if (tsc != UINT64_MAX && THIS_CPU(armed) < tsc)
        THIS_CPU(armed) = UINT64_MAX;
    apic_timer_arm(this_cpu(), tsc);
}
