/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operations cost, in TSC ticks; in the emulator these are instructions.
 *
 * Each operation runs 200 times between two RDTSC after 16 runs to warm up. The median, less the
 * median with a NOP in its place, plus one for the operation itself, is printed as a row of CSV
 * after "= ".
 */
#include "guests/lib/guest.h"

#define WARM_UP      16
#define RUNS         200
#define UNCLAIMED    0xd0000000ULL
#define IOAPIC       0xfec00000ULL
#define FAR          (BIT(50))
#define TIMER_VECTOR 0x41
#define WAKE_AFTER   100000

static uint64_t samples[RUNS];
static uint64_t target, woken;

static uint64_t median(void)
{
    for (unsigned i = 1; i < RUNS; i++)
        for (unsigned j = i; j > 0 && samples[j] < samples[j - 1]; j--) {
            uint64_t swap = samples[j];
            samples[j] = samples[j - 1];
            samples[j - 1] = swap;
        }
    return samples[RUNS / 2];
}

/* The operation sees ECX = index, EDX:EAX = value, RBX = address; RDTSC's own result is kept in R8
 * and R9. */
#define MEASURE(instruction, index, value, address)                                                \
    ({                                                                                             \
        for (unsigned run = 0; run < WARM_UP + RUNS; run++) {                                      \
            uint64_t ticks;                                                                        \
            uint32_t c = (index), a = (uint32_t)(value), d = (uint32_t)((uint64_t)(value) >> 32);  \
            uint64_t b = (address);                                                                \
            __asm__ volatile("movl %%eax, %%r10d; movl %%edx, %%r11d; rdtsc\n"                     \
                             "movl %%eax, %%r8d; movl %%edx, %%r9d\n"                              \
                             "movl %%r10d, %%eax; movl %%r11d, %%edx\n" instruction "\n"           \
                             "rdtsc; shlq $32, %%r9; orq %%r9, %%r8\n"                             \
                             "shlq $32, %%rdx; orq %%rdx, %%rax; subq %%r8, %%rax; movq %%rax, %0" \
                             : "=m"(ticks), "+c"(c), "+a"(a), "+d"(d), "+b"(b)                     \
                             :                                                                     \
                             : "r8", "r9", "r10", "r11", "cc", "memory");                          \
            if (run >= WARM_UP)                                                                    \
                samples[run - WARM_UP] = ticks;                                                    \
        }                                                                                          \
        median();                                                                                  \
    })

static void row(const char *operation, uint64_t ticks)
{
    print("%s,%lu\n", operation, ticks);
}

static void on_timer(struct interrupt_frame *frame)
{
    woken = rdtsc();
    apic_eoi();
}

/* From the deadline to the first instruction of the handler. */
static uint64_t measure_wake(bool halted)
{
    for (unsigned run = 0; run < RUNS; run++) {
        target = rdtsc() + WAKE_AFTER;
        woken = 0;
        wrmsr(MSR_TSC_DEADLINE, target);
        if (halted) {
            wait_for_interrupt();
        } else {
            interrupts_on();
            while (*(volatile uint64_t *)&woken == 0)
                cpu_relax();
            interrupts_off();
        }
        samples[run] = woken - target;
    }
    return median();
}

static void measure_exits(void)
{
    uint64_t empty = MEASURE("nop", 0, 0, 0) - 1;

    row("CPUID", MEASURE("cpuid", 0, 0, 0) - empty);
    if (has_hypervisor()) {
        row("VMCALL", MEASURE("vmcall", 0, 0xffffffff, 0) - empty);
        row("RDMSR IA32_MISC_ENABLE", MEASURE("rdmsr", MSR_MISC_ENABLE, 0, 0) - empty);
    }
    row("RDMSR STAR", MEASURE("rdmsr", MSR_STAR, 0, 0) - empty);
    row("WRMSR STAR same value", MEASURE("wrmsr", MSR_STAR, rdmsr(MSR_STAR), 0) - empty);
    row("WRMSR KERNEL_GS_BASE", MEASURE("wrmsr", MSR_KERNEL_GS_BASE, 0, 0) - empty);
    row("OUT 0x80", MEASURE("outb %%al, $0x80", 0, 0, 0) - empty);
    row("OUT UART scratch", MEASURE("outb %%al, %%dx", 0, (uint64_t)UART_SCR << 32, 0) - empty);
    row("IN UART scratch", MEASURE("inb %%dx, %%al", 0, (uint64_t)UART_SCR << 32, 0) - empty);
    row("MMIO read unclaimed", MEASURE("movl (%%rbx), %%eax", 0, 0, UNCLAIMED) - empty);
    row("MMIO write unclaimed", MEASURE("movl %%eax, (%%rbx)", 0, 0, UNCLAIMED) - empty);
    row("MMIO read IOAPIC", MEASURE("movl (%%rbx), %%eax", 0, 0, IOAPIC + 0x10) - empty);
    row("MMIO read xAPIC id",
        MEASURE("movl (%%rbx), %%eax", 0, 0, APIC_PAGE + APIC_ID * 16) - empty);
    row("MOV CR0 toggling TS",
        MEASURE("movq %%cr0, %%rax; xorl $8, %%eax; movq %%rax, %%cr0", 0, 0, 0) - empty - 2);
    row("WBINVD", MEASURE("wbinvd", 0, 0, 0) - empty);
}

static void measure_x2apic(void)
{
    uint64_t empty = MEASURE("nop", 0, 0, 0) - 1;

    apic_enable(APIC_X2);
    row("RDMSR x2APIC id", MEASURE("rdmsr", MSR_X2APIC + APIC_ID, 0, 0) - empty);
    row("WRMSR x2APIC EOI nothing in service",
        MEASURE("wrmsr", MSR_X2APIC + APIC_EOI, 0, 0) - empty);
    row("WRMSR x2APIC TPR", MEASURE("wrmsr", MSR_X2APIC + APIC_TPR, 0, 0) - empty);
    if (!has_tsc_deadline())
        return;
    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_write(APIC_LVT_TIMER, APIC_TIMER_TSC_DEADLINE | TIMER_VECTOR);
    row("WRMSR IA32_TSC_DEADLINE far", MEASURE("wrmsr", MSR_TSC_DEADLINE, FAR, 0) - empty);
    row("HLT deadline to handler", measure_wake(true));
    row("spinning deadline to handler", measure_wake(false));
}

void guest_main(void)
{
    print("operation,instructions\n");
    measure_exits();
    if (has_x2apic())
        measure_x2apic();
    ok(true, "measured");
}
