/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operations cost, in TSC ticks; in the emulator these are instructions. docs/benchmarks.md.
 *
 * Each operation runs 200 times between two RDTSC after 16 runs to warm up. The median, less the
 * median with a NOP in its place, plus one for the operation itself, is printed as a row of CSV,
 * and then all samples as rows "histogram,OPERATION,TICKS,RUNS". The last three runs of each stand
 * between XCHG BX, BX, where Bochs can be told to stop: so its debugger finds what happens in
 * between.
 */
#include "guests/lib/guest.h"
#include "guests/lib/virtio.h"

#define WARM_UP      16
#define RUNS         200
#define MARKED       3
#define UNCLAIMED    0xd0000000ULL
#define IOAPIC       0xfec00000ULL
#define FAR          (BIT(50))
#define TIMER_VECTOR 0x41
#define IPI_VECTOR   0x51
#define KICK_VECTOR  0x61
#define WAKE_AFTER   100000
#define QUIET        1200000 /* ticks: of the emulator's TSC, longer than a row takes to print */
#define SPIN_FOR     20000
#define LOW_HALF     0xffffU
#define UNTOUCHED    0x2000000ULL /* above the kernel, in the smallest memory of a VM */

static uint64_t samples[RUNS];
static uint64_t target, woken, empty;

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

/* Before and after each of the last runs: what a debugger is to look at. */
static inline void mark(unsigned runs_left)
{
    if (runs_left <= MARKED)
        __asm__ volatile("xchgw %%bx, %%bx" : : : "memory");
}

/*
 * The operation sees ECX = index, EDX:EAX = value, RBX = address; RDTSC's own result is kept in R8
 * and R9. A processor may execute RDTSC before what is ahead of it has ended, and what follows
 * before it: LFENCE keeps each in its place, and is part of the loop that is taken off. Where the
 * code comes to lie must not count: what a monitor fetches of an instruction never crosses a page.
 */
#define MEASURE(instruction, index, value, address)                                                \
    ({                                                                                             \
        for (unsigned run = 0; run < WARM_UP + RUNS; run++) {                                      \
            uint64_t ticks;                                                                        \
            uint32_t c = (index), a = (uint32_t)(value), d = (uint32_t)((uint64_t)(value) >> 32);  \
            uint64_t b = (address);                                                                \
            mark(WARM_UP + RUNS - run);                                                            \
            __asm__ volatile(".p2align 6; movl %%eax, %%r10d; movl %%edx, %%r11d\n"                \
                             "lfence; rdtsc; lfence\n"                                             \
                             "movl %%eax, %%r8d; movl %%edx, %%r9d\n"                              \
                             "movl %%r10d, %%eax; movl %%r11d, %%edx\n" instruction "\n"           \
                             "lfence; rdtsc; lfence; shlq $32, %%r9; orq %%r9, %%r8\n"             \
                             "shlq $32, %%rdx; orq %%rdx, %%rax; subq %%r8, %%rax; movq %%rax, %0" \
                             : "=m"(ticks), "+c"(c), "+a"(a), "+d"(d), "+b"(b)                     \
                             :                                                                     \
                             : "r8", "r9", "r10", "r11", "cc", "memory");                          \
            mark(WARM_UP + RUNS - run);                                                            \
            if (run >= WARM_UP)                                                                    \
                samples[run - WARM_UP] = ticks;                                                    \
        }                                                                                          \
        median();                                                                                  \
    })

/* The samples as they are, sorted by median(): how many runs took how long, the loop included. */
static void print_histogram(const char *operation)
{
    for (unsigned first = 0, i = 1; i <= RUNS; i++)
        if (i == RUNS || samples[i] != samples[first]) {
            print("histogram,%s,%lu,%u\n", operation, samples[first], i - first);
            first = i;
        }
}

/* Until the console has printed the row, and sleeps: while it waits for a time, each entry sets the
 * guest's timer. */
static void be_quiet(void)
{
    uint64_t until = rdtsc() + QUIET;

    while (rdtsc() < until)
        cpu_relax();
}

static void row(const char *operation, uint64_t ticks)
{
    print("%s,%lu\n", operation, ticks);
    print_histogram(operation);
    be_quiet();
}

#define ROW(operation, instruction, index, value, address)                                         \
    row(operation, MEASURE(instruction, index, value, address) - empty)

/* The shortest handlers that leave all registers alone: an EOI, and a step over UD2. */
void on_ipi(void);
void on_invalid_opcode(void);
__asm__(".pushsection .text\n"
        "on_ipi: pushq %rax; pushq %rcx; pushq %rdx\n"
        "movl $0x80b, %ecx; xorl %eax, %eax; xorl %edx, %edx; wrmsr\n"
        "popq %rdx; popq %rcx; popq %rax; iretq\n"
        "on_invalid_opcode: addq $2, (%rsp); iretq\n"
        ".popsection");

/* The common way of interrupts (interrupt.h) would cost more than what is measured: a gate without
 * it. */
static void set_gate(uint8_t vector, void (*handler)(void))
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint32_t *base;
        uint16_t unused[3];
    } table;
    uint32_t offset = (uint32_t)(uintptr_t)handler;

    __asm__ volatile("sidt %0" : "=m"(table));
    uint32_t *gate = table.base + vector * 4;
    gate[0] = (gate[0] & ~LOW_HALF) | (offset & LOW_HALF);
    gate[1] = (gate[1] & LOW_HALF) | (offset & ~LOW_HALF);
}

static void on_timer(struct interrupt_frame *frame)
{
    woken = rdtsc();
    apic_eoi();
}

/* From the deadline to the first instruction of the handler. */
static uint64_t measure_wake(uint64_t after, bool halted)
{
    for (unsigned run = 0; run < RUNS; run++) {
        woken = 0;
        mark(RUNS - run);
        target = rdtsc() + after;
        wrmsr(MSR_IA32_TSC_DEADLINE, target);
        if (halted) {
            sti_hlt_cli();
        } else {
            interrupts_on();
            while (*(volatile uint64_t *)&woken == 0)
                cpu_relax();
            interrupts_off();
        }
        mark(RUNS - run);
        samples[run] = woken - target;
    }
    return median();
}

/* A guest that uses SYSCALL: none of these is the host's value. */
static void set_syscall_msrs(void)
{
    wrmsr(MSR_IA32_STAR, 0x0013000800000000);
    wrmsr(MSR_IA32_LSTAR, 0xffffffff81800000);
    wrmsr(MSR_IA32_CSTAR, 0xffffffff81801000);
    wrmsr(MSR_IA32_FMASK, 0x47700);
    wrmsr(MSR_IA32_KERNEL_GS_BASE, 0xffff888000000000);
    if (cpuid(0x80000001, 0).edx >> 27 & 1)
        wrmsr(MSR_IA32_TSC_AUX, 0x123);
}

static void measure_exits(void)
{
    ROW("CPUID", "cpuid", 0, 0, 0);
    if (has_hypervisor()) {
        ROW("VMCALL", "vmcall", 0, 0xffffffff, 0);
        ROW("RDMSR IA32_MISC_ENABLE", "rdmsr", MSR_IA32_MISC_ENABLE, 0, 0);
        ROW("WRMSR IA32_MISC_ENABLE same value", "wrmsr", MSR_IA32_MISC_ENABLE,
            rdmsr(MSR_IA32_MISC_ENABLE), 0);
    }
    if (has_tsc_adjust())
        ROW("RDMSR IA32_TSC_ADJUST", "rdmsr", MSR_IA32_TSC_ADJUST, 0, 0);
    ROW("RDMSR STAR", "rdmsr", MSR_IA32_STAR, 0, 0);
    ROW("WRMSR STAR same value", "wrmsr", MSR_IA32_STAR, rdmsr(MSR_IA32_STAR), 0);
    ROW("WRMSR KERNEL_GS_BASE", "wrmsr", MSR_IA32_KERNEL_GS_BASE, 0, 0);
    ROW("OUT 0x80", "outb %%al, $0x80", 0, 0, 0);
    ROW("OUT UART scratch", "outb %%al, %%dx", 0, (uint64_t)UART_SCR << 32, 0);
    ROW("IN UART scratch", "inb %%dx, %%al", 0, (uint64_t)UART_SCR << 32, 0);
    ROW("MMIO read unclaimed", "movl (%%rbx), %%eax", 0, 0, UNCLAIMED);
    ROW("MMIO write unclaimed", "movl %%eax, (%%rbx)", 0, 0, UNCLAIMED);
    ROW("MMIO read IOAPIC", "movl (%%rbx), %%eax", 0, 0, IOAPIC + 0x10);
    ROW("MMIO read xAPIC id", "movl (%%rbx), %%eax", 0, 0, APIC_PAGE + APIC_ID);
    ROW("first touch of a page", "movl (%%rbx), %%eax", 0, 0, UNTOUCHED + run * PAGE_SIZE);
    row("MOV CR0 toggling TS",
        MEASURE("movq %%cr0, %%rax; xorl $8, %%eax; movq %%rax, %%cr0", 0, 0, 0) - empty - 2);
    ROW("WBINVD", "wbinvd", 0, 0, 0);
    set_gate(VECTOR_UD, on_invalid_opcode);
    ROW("UD2 to the guest's handler", "ud2", 0, 0, 0);
}

/* A queue in which nothing is new: what the driver's part of a request costs. */
static void measure_kick(void)
{
    static struct virtio rng;

    if (virtio_find(&rng, VIRTIO_ID_ENTROPY) &&
        virtio_start(&rng, VIRTIO_F_VERSION_1, KICK_VECTOR) && rng.doorbells_are_ports)
        ROW("kick of a virtqueue", "outw %%ax, %%dx", 0, rng.queue.doorbell << 32, 0);
}

static void measure_x2apic(void)
{
    apic_enable(APIC_X2);
    ROW("RDMSR x2APIC id", "rdmsr", MSR_IA32_X2APIC + APIC_ID / 16, 0, 0);
    ROW("WRMSR x2APIC EOI nothing in service", "wrmsr", MSR_IA32_X2APIC + APIC_EOI / 16, 0, 0);
    ROW("WRMSR x2APIC TPR", "wrmsr", MSR_IA32_X2APIC + APIC_TPR / 16, 0, 0);
    set_gate(IPI_VECTOR, on_ipi);
    interrupts_on();
    ROW("x2APIC self-IPI to EOI and IRET", "wrmsr", MSR_IA32_X2APIC + APIC_SELF_IPI / 16,
        IPI_VECTOR, 0);
    ROW("x2APIC ICR to self to EOI and IRET", "wrmsr", MSR_IA32_X2APIC + APIC_ICR / 16,
        ICR_SELF | IPI_VECTOR, 0);
    interrupts_off();
    if (!has_tsc_deadline())
        return;
    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_write(APIC_LVT_TIMER, LVT_TIMER_DEADLINE | TIMER_VECTOR);
    ROW("WRMSR IA32_TSC_DEADLINE far", "wrmsr", MSR_IA32_TSC_DEADLINE, FAR, 0);
    row("HLT deadline to handler", measure_wake(WAKE_AFTER, true));
    row("spinning deadline to handler", measure_wake(SPIN_FOR, false));
}

void guest_main(void)
{
    if (has_hypervisor())
        print("# TSC %u kHz\n", cpuid(0x40000010, 0).eax);
    print("operation,ticks\n");
    set_syscall_msrs();
    empty = MEASURE("nop", 0, 0, 0) - 1;
    row("NOP", 1);
    measure_exits();
    measure_kick();
    if (has_x2apic())
        measure_x2apic();
    ok(true, "measured");
}
