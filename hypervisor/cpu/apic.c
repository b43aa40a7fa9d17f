/* SPDX-License-Identifier: BSD-2-Clause */
/* SDM volume 3, "Advanced Programmable Interrupt Controller"; 82093AA IOAPIC data sheet; 8259A data
 * sheet. */
#include "hypervisor/cpu/apic.h"

#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/lib/bits.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/report/serial.h"

enum apic_register {
    APIC_ID = 0x20,
    APIC_TPR = 0x80,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

#define APIC_SOFTWARE_ENABLE 0x100
#define ICR_SELF             0x40000
#define LVT_MASKED           0x10000
#define LVT_NMI              0x400
#define LVT_TSC_DEADLINE     0x40000
#define DIVIDE_BY_1          0xb
#define ICR_PENDING          0x1000
#define ICR_PATIENCE         100000 /* reads; then the message before is lost */
#define APIC_BASE_ENABLE     0x800
#define APIC_BASE_X2APIC     0x400
#define APIC_BASE_ADDRESS    0xfffffffff000ULL

/* This part of a millisecond is the least time that the timer is set for. */
#define LEAST_SHARE 100

#define IOAPIC_VERSION        1
#define IOAPIC_REDIRECTION(n) (0x10 + 2 * (n))
#define IOAPIC_ACTIVE_LOW     0x2000
#define IOAPIC_LEVEL          0x8000
#define IOAPIC_MASKED         0x10000

static volatile uint32_t *xapic; /* NULL: x2APIC mode */
static volatile uint32_t *ioapic;
static bool has_tsc_deadline;
static uint32_t timer_khz;
static uint64_t armed = UINT64_MAX; /* the TSC at which VECTOR_TIMER comes */

static uint32_t apic_read(enum apic_register reg)
{
    return xapic != NULL ? xapic[reg / 4] : (uint32_t)rdmsr(MSR_IA32_X2APIC + reg / 16);
}

static void apic_write(enum apic_register reg, uint32_t value)
{
    if (xapic != NULL)
        xapic[reg / 4] = value;
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

static void ioapic_write(uint32_t reg, uint32_t value)
{
    ioapic[0] = reg;
    ioapic[4] = value;
}

static uint32_t ioapic_read(uint32_t reg)
{
    ioapic[0] = reg;
    return ioapic[4];
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

static void ioapic_init(const struct acpi_info *acpi)
{
    const struct acpi_irq *irq = &acpi->isa[SERIAL_IRQ];
    ioapic = host_map(acpi->ioapic, PAGE_SIZE, PAGING_W | PAGING_NX | PAGING_UC);
    uint32_t pins = (ioapic_read(IOAPIC_VERSION) >> 16 & 0xff) + 1;
    for (uint32_t pin = 0; pin < pins; pin++)
        ioapic_write(IOAPIC_REDIRECTION(pin), IOAPIC_MASKED);
    if (irq->gsi - acpi->ioapic_gsi >= pins)
        stopped(
            "the serial line's interrupt, GSI %u, is not at the first IOAPIC: Lintel uses no other",
            irq->gsi);
    uint32_t pin = irq->gsi - acpi->ioapic_gsi;
    ioapic_write(IOAPIC_REDIRECTION(pin) + 1, apic_id() << 24);
    ioapic_write(IOAPIC_REDIRECTION(pin), VECTOR_SERIAL | (irq->level ? IOAPIC_LEVEL : 0) |
                                              (irq->active_low ? IOAPIC_ACTIVE_LOW : 0));
}

/* How fast the timer counts, against the TSC, over a hundredth of a second. */
static void timer_measure(void)
{
    uint64_t start = rdtsc(), span = tsc_khz() * 10;

    apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
    while (rdtsc() - start < span)
        cpu_relax();
    timer_khz = (UINT32_MAX - apic_read(APIC_TIMER_CURRENT)) / 10;
    apic_write(APIC_TIMER_INITIAL, 0);
}

void apic_init(const struct acpi_info *acpi)
{
    uint32_t features = cpuid(1, 0).ecx;
    uint64_t base = rdmsr(MSR_IA32_APIC_BASE) | APIC_BASE_ENABLE;

    wrmsr(MSR_IA32_APIC_BASE, base);
    if (features & CPUID_1_ECX_X2APIC)
        wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_X2APIC);
    else
        xapic = host_map(base & APIC_BASE_ADDRESS, PAGE_SIZE, PAGING_W | PAGING_NX | PAGING_UC);
    has_tsc_deadline = features & CPUID_1_ECX_TSC_DEADLINE;

    pic_disable();
    apic_write(APIC_SPURIOUS, APIC_SOFTWARE_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_TPR, 0);
    apic_write(APIC_LVT_LINT0, LVT_MASKED);
    apic_write(APIC_LVT_LINT1, LVT_NMI);
    apic_write(APIC_LVT_ERROR, LVT_MASKED);
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER,
               has_tsc_deadline ? VECTOR_TIMER | LVT_TSC_DEADLINE : VECTOR_TIMER | LVT_MASKED);
    if (!has_tsc_deadline) {
        timer_measure();
        apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
    }
    ioapic_init(acpi);
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
    armed = UINT64_MAX;
}

/* The TSC for which the timer is set in place of `tsc`, which a 32-bit count may not reach. */
static uint64_t start_count(uint64_t tsc)
{
    uint64_t now = rdtsc(), left = tsc > now ? tsc - now : 0,
             longest = (uint64_t)UINT32_MAX / 2 * tsc_khz() / timer_khz;

    left = min_u64(left, longest);
    apic_write(APIC_TIMER_INITIAL,
               (uint32_t)(left / tsc_khz() * timer_khz + left % tsc_khz() * timer_khz / tsc_khz()) +
                   1);
    return now + left;
}

/* An interrupt that comes at once would keep ring 3 from its next instruction. */
static uint64_t not_at_once(uint64_t tsc)
{
    return max_u64(tsc, rdtsc() + tsc_khz() / LEAST_SHARE);
}

void apic_timer_arm(uint64_t tsc)
{
    if (tsc >= armed || (tsc = not_at_once(tsc)) >= armed)
        return;
    armed = tsc;
    if (has_tsc_deadline)
        wrmsr(MSR_IA32_TSC_DEADLINE, tsc);
    else
        armed = start_count(tsc);
}
