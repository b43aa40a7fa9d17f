/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC in both modes: its timer's three modes, HLT, priorities, self-IPIs and NMI (R40,
 * R41). */
#include "guests/lib/guest.h"

#define TIMER_VECTOR 0x41
#define LOW_VECTOR   0x52
#define HIGH_VECTOR  0x93
#define LOG_SIZE     8
#define SHORT        20000 /* TSC ticks, or the timer's */
#define PATIENCE     100000000
#define QUIET        2000000 /* until the serial line has what was said */
#define END_OF_TIME  (UINT64_MAX - 1)
#define ICR_NMI      0x400

#define LEVEL_VECTOR       0x74
#define IOAPIC             0xfec00000ULL
#define IOAPIC_WINDOW      0x10
#define IOAPIC_REDIRECTION 0x10
#define REDIRECTION_LEVEL  0x8000
#define REDIRECTION_MASKED 0x10000

#define UART_PIN      4
#define UART_MCR_OUT2 0x08
#define UART_IER_THRE 0x02

#define ESR_SEND_ILLEGAL_VECTOR 0x20

static const char *mode_name;
static volatile unsigned timer_count, nmi_count, nmi_depth, nmi_depth_max;
static volatile uint8_t delivered[LOG_SIZE];
static volatile unsigned deliveries;

static void on_timer(struct interrupt_frame *frame)
{
    timer_count++;
    apic_eoi();
}

static void on_vector(struct interrupt_frame *frame)
{
    if (deliveries < LOG_SIZE)
        delivered[deliveries++] = (uint8_t)frame->vector;
    apic_eoi();
}

static void spin_until(volatile unsigned *count, unsigned wanted)
{
    uint64_t start = rdtsc();

    interrupts_on();
    while (*count < wanted && rdtsc() - start < PATIENCE)
        cpu_relax();
    interrupts_off();
}

static void set_timer(uint32_t mode, uint32_t initial_count)
{
    timer_count = 0;
    apic_write(APIC_LVT_TIMER, mode | TIMER_VECTOR);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    if (mode != LVT_TIMER_DEADLINE)
        apic_write(APIC_INITIAL_COUNT, initial_count);
}

static void test_one_shot(void)
{
    uint32_t first, second;

    set_timer(APIC_TIMER_ONE_SHOT, SHORT);
    first = apic_read(APIC_CURRENT_COUNT);
    second = apic_read(APIC_CURRENT_COUNT);
    spin_until(&timer_count, 1);
    ok(first <= SHORT && second < first && second > 0, "%s: the current count goes down",
       mode_name);
    is(timer_count, 1, "%s: a one-shot timer interrupts a spinning CPU", mode_name);
    is(apic_read(APIC_CURRENT_COUNT), 0, "%s: a one-shot timer stays at 0", mode_name);
    set_timer(APIC_TIMER_ONE_SHOT, SHORT);
    sti_hlt_cli();
    is(timer_count, 1, "%s: a one-shot timer wakes HLT", mode_name);
    set_timer(APIC_TIMER_ONE_SHOT, 10 * SHORT);
    apic_write(APIC_INITIAL_COUNT, 0);
    is(apic_read(APIC_CURRENT_COUNT), 0, "%s: an initial count of 0 stops the timer", mode_name);
    set_timer(APIC_TIMER_ONE_SHOT | LVT_MASKED, 100);
    for (uint64_t start = rdtsc(); rdtsc() - start < SHORT;)
        cpu_relax();
    is(apic_vector_bit(APIC_IRR, TIMER_VECTOR), 0, "%s: a masked timer raises nothing", mode_name);
}

static void test_periodic(void)
{
    uint64_t start = rdtsc(), passed;

    set_timer(LVT_TIMER_PERIODIC, SHORT);
    for (unsigned i = 0; i < 10; i++)
        sti_hlt_cli();
    passed = rdtsc() - start;
    is(timer_count, 10, "%s: a periodic timer wakes HLT ten times", mode_name);
    spin_until(&timer_count, 13);
    ok(timer_count >= 13, "%s: a periodic timer goes on while the CPU spins", mode_name);
    apic_write(APIC_LVT_TIMER, LVT_MASKED | TIMER_VECTOR);
    apic_write(APIC_INITIAL_COUNT, 0);
    ok(passed > 8 * SHORT, "%s: its period is not shorter than asked for", mode_name);
}

static void test_deadline(void)
{
    uint64_t target, late;

    if (!has_tsc_deadline()) {
        skip("no TSC deadline", "%s: the TSC deadline", mode_name);
        return;
    }
    set_timer(LVT_TIMER_DEADLINE, 0);
    target = rdtsc() + SHORT;
    wrmsr(MSR_IA32_TSC_DEADLINE, target);
    is(rdmsr(MSR_IA32_TSC_DEADLINE), target, "%s: an armed deadline reads back", mode_name);
    sti_hlt_cli();
    late = rdtsc() - target;
    is(timer_count, 1, "%s: a deadline wakes HLT", mode_name);
    ok(late < PATIENCE, "%s: and not before its time", mode_name);
    if (has_hypervisor())
        is(rdmsr(MSR_IA32_TSC_DEADLINE), 0, "%s: a deadline that fired reads 0", mode_name);
    else
        skip("Bochs keeps its value", "%s: a deadline that fired reads 0", mode_name);
    wrmsr(MSR_IA32_TSC_DEADLINE, rdtsc() + SHORT);
    spin_until(&timer_count, 2);
    is(timer_count, 2, "%s: a deadline interrupts a spinning CPU", mode_name);
    wrmsr(MSR_IA32_TSC_DEADLINE, 1);
    sti_hlt_cli();
    is(timer_count, 3, "%s: a deadline in the past fires at once", mode_name);
    wrmsr(MSR_IA32_TSC_DEADLINE, rdtsc() + SHORT);
    wrmsr(MSR_IA32_TSC_DEADLINE, 0);
    for (uint64_t start = rdtsc(); rdtsc() - start < 3 * SHORT;)
        cpu_relax();
    is(apic_vector_bit(APIC_IRR, TIMER_VECTOR), 0, "%s: a 0 disarms the deadline", mode_name);
    wrmsr(MSR_IA32_TSC_DEADLINE, END_OF_TIME);
    spin_until(&timer_count, 3);
    is(rdmsr(MSR_IA32_TSC_DEADLINE), END_OF_TIME, "%s: a deadline at the end of time stays ahead",
       mode_name);
    wrmsr(MSR_IA32_TSC_DEADLINE, 0);
    apic_write(APIC_LVT_TIMER, LVT_MASKED | TIMER_VECTOR);
}

/* R40: what is pending waits in the IRR, the higher vector comes first, the TPR holds back. */
static void test_priorities(void)
{
    interrupt_handle(LOW_VECTOR, on_vector);
    interrupt_handle(HIGH_VECTOR, on_vector);
    deliveries = 0;
    apic_self_ipi(LOW_VECTOR);
    apic_self_ipi(HIGH_VECTOR);
    bool wait = apic_vector_bit(APIC_IRR, LOW_VECTOR) && apic_vector_bit(APIC_IRR, HIGH_VECTOR) &&
                deliveries == 0;
    write_cr8(HIGH_VECTOR >> 4); /* no word before: Bochs would let them in (docs/emulator.md) */
    ok(wait, "%s: with IF=0 two self-IPIs wait in the IRR", mode_name);
    spin_until(&deliveries, 0);
    is(deliveries, 0, "%s: a task priority holds both back", mode_name);
    write_cr8(LOW_VECTOR >> 4);
    spin_until(&deliveries, 1);
    ok(deliveries == 1 && delivered[0] == HIGH_VECTOR, "%s: a lower one lets the higher vector in",
       mode_name);
    write_cr8(0);
    spin_until(&deliveries, 2);
    ok(deliveries == 2 && delivered[1] == LOW_VECTOR, "%s: none lets the lower one in", mode_name);
    ok(!apic_vector_bit(APIC_IRR, LOW_VECTOR) && !apic_vector_bit(APIC_ISR, HIGH_VECTOR),
       "%s: then nothing is pending or in service", mode_name);
}

static volatile unsigned nested_ppr, nested_isr;

/* Takes an interrupt of a higher class while it is in service itself; the lower one must wait. */
static void on_nesting(struct interrupt_frame *frame)
{
    apic_self_ipi(HIGH_VECTOR);
    apic_self_ipi(LOW_VECTOR);
    nested_ppr = apic_read(APIC_PPR);
    nested_isr = (unsigned)apic_vector_bit(APIC_ISR, 0x60);
    spin_until(&deliveries, 1);
    apic_eoi();
}

static void test_nesting(void)
{
    interrupt_handle(0x60, on_nesting);
    deliveries = 0;
    apic_self_ipi(0x60);
    interrupts_on();
    __asm__ volatile("nop; nop");
    spin_until(&deliveries, 2);
    is(nested_ppr, 0x60, "%s: the PPR is the class in service", mode_name);
    is(nested_isr, 1, "%s: the ISR shows the vector in service", mode_name);
    ok(deliveries == 2 && delivered[0] == HIGH_VECTOR && delivered[1] == LOW_VECTOR,
       "%s: a higher class interrupts a handler, a lower one waits for its end", mode_name);
}

static uint64_t shadow_rip;

static void on_shadow(struct interrupt_frame *frame)
{
    shadow_rip = frame->rip;
    apic_eoi();
}

static void test_shadow(void)
{
    uint64_t after_one, first, between, behind;

    /* No word while an interrupt is pending, and what was said before is out (docs/emulator.md). */
    for (uint64_t start = rdtsc(); rdtsc() - start < QUIET;)
        cpu_relax();
    interrupt_handle(LOW_VECTOR, on_shadow);
    apic_self_ipi(LOW_VECTOR);
    __asm__ volatile("leaq 1f(%%rip), %0; sti; nop; 1: nop; cli" : "=r"(after_one));
    first = shadow_rip;
    shadow_rip = 0;
    apic_self_ipi(LOW_VECTOR);
    __asm__ volatile("sti; cli" : : : "memory");
    between = shadow_rip;
    __asm__ volatile("leaq 1f(%%rip), %0; sti; outb %%al, $0x80; 1: nop; cli"
                     : "=r"(behind)
                     :
                     : "memory");
    is(first, after_one, "%s: STI holds a pending interrupt back for one instruction", mode_name);
    is(between, 0, "%s: STI then CLI lets nothing in", mode_name);
    is(shadow_rip, behind, "%s: an instruction that exits keeps the shadow", mode_name);
}

static void on_nmi(struct interrupt_frame *frame)
{
    nmi_count++;
    nmi_depth++;
    if (nmi_depth > nmi_depth_max)
        nmi_depth_max = nmi_depth;
    if (nmi_count == 1)
        apic_write(APIC_ICR, ICR_NMI);
    for (unsigned i = 0; i < 20; i++)
        cpuid(0, 0);
    nmi_depth--;
}

/* R16: an NMI comes with IF=0, and a second one waits for the first one's IRET. The CPU's
 * id is 0. */
static void test_nmi(void)
{
    interrupt_handle(2, on_nmi);
    nmi_count = nmi_depth_max = 0;
    apic_write(APIC_ICR, ICR_NMI);
    for (unsigned i = 0; i < 100 && nmi_count < 2; i++)
        cpu_relax();
    is(nmi_count, 2, "%s: two NMIs are delivered with IF=0", mode_name);
    is(nmi_depth_max, 1, "%s: the second one waits for IRET", mode_name);
}

static void test_spurious_writes(void)
{
    apic_write(APIC_ESR, 0);
    apic_eoi();
    ok(true, "%s: an EOI with nothing in service is dropped", mode_name);
    apic_write(APIC_LVT_TIMER, LVT_MASKED | TIMER_VECTOR);
    apic_write(APIC_SVR, SPURIOUS_VECTOR);
    apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
    is(apic_read(APIC_LVT_TIMER) & LVT_MASKED, LVT_MASKED,
       "%s: a software-disabled APIC keeps its LVTs masked", mode_name);
    apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
}

/* What can be delivered is. */
static void let_in(void)
{
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

/* What has been pending before HLT wakes it, unless the TPR holds it back: then the timer does. */
static void test_halt(void)
{
    interrupt_handle(LOW_VECTOR, on_vector);
    deliveries = 0;
    apic_self_ipi(LOW_VECTOR);
    sti_hlt_cli();
    is(deliveries, 1, "%s: a pending interrupt wakes HLT", mode_name);
    interrupt_handle(HIGH_VECTOR, on_timer);
    write_cr8(LOW_VECTOR >> 4);
    apic_self_ipi(LOW_VECTOR);
    timer_count = 0;
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, APIC_TIMER_ONE_SHOT | HIGH_VECTOR);
    apic_write(APIC_INITIAL_COUNT, SHORT);
    sti_hlt_cli();
    ok(timer_count == 1 && deliveries == 1, "%s: one that the TPR holds back does not", mode_name);
    write_cr8(0);
    let_in();
    is(deliveries, 2, "%s: it comes when the TPR lets it", mode_name);
    interrupt_handle(HIGH_VECTOR, on_vector);
}

static volatile unsigned level_count;

/* Only the second time does the UART hear of it: meanwhile its line stays high. */
static void on_level(struct interrupt_frame *frame)
{
    if (++level_count == 2)
        inb(UART_IIR);
    apic_eoi();
}

static void write_redirection(uint32_t value)
{
    *(volatile uint32_t *)IOAPIC = IOAPIC_REDIRECTION + 2 * UART_PIN;
    *(volatile uint32_t *)(IOAPIC + IOAPIC_WINDOW) = value;
}

/* R41: the end of a level-triggered interrupt reaches the IOAPIC, which sends it again while its
 * line is high. */
static void test_level(void)
{
    if (!has_hypervisor()) {
        skip("Bochs's IOAPIC hears of no EOI", "%s: a level-triggered interrupt", mode_name);
        return;
    }
    level_count = 0;
    interrupt_handle(LEVEL_VECTOR, on_level);
    while (!(inb(UART_LSR) & UART_LSR_TEMT))
        cpu_relax();
    write_redirection(REDIRECTION_LEVEL | LEVEL_VECTOR);
    outb(UART_MCR, UART_MCR_OUT2);
    outb(UART_IER, UART_IER_THRE);
    is(apic_vector_bit(APIC_TMR, LEVEL_VECTOR), 1, "%s: the TMR shows a level-triggered interrupt",
       mode_name);
    spin_until(&level_count, 2);
    let_in();
    outb(UART_IER, 0);
    write_redirection(REDIRECTION_MASKED);
    is(level_count, 2, "%s: a level-triggered interrupt comes until its source is quiet",
       mode_name);
    ok(!apic_vector_bit(APIC_ISR, LEVEL_VECTOR) && !apic_vector_bit(APIC_IRR, LEVEL_VECTOR),
       "%s: then it is neither pending nor in service", mode_name);
}

/* What an APIC that is switched off by software does not take, and an IPI that is an error. */
static void test_refused(void)
{
    if (!has_hypervisor()) {
        skip("Bochs's local APIC takes it all", "%s: what is refused", mode_name);
        return;
    }
    interrupt_handle(LOW_VECTOR, on_vector);
    deliveries = 0;
    apic_write(APIC_SVR, SPURIOUS_VECTOR);
    apic_self_ipi(LOW_VECTOR);
    apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
    let_in();
    is(deliveries, 0, "%s: a software-disabled APIC takes no self-IPI", mode_name);
    apic_self_ipi(LOW_VECTOR);
    apic_write(APIC_SVR, SPURIOUS_VECTOR);
    is(apic_vector_bit(APIC_IRR, LOW_VECTOR), 1,
       "%s: one that is switched off keeps what is pending", mode_name);
    apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
    spin_until(&deliveries, 1);
    is(deliveries, 1, "%s: and delivers it when it is on again", mode_name);
    apic_write(APIC_ESR, 0);
    apic_self_ipi(3);
    apic_write(APIC_ESR, 0);
    is(apic_read(APIC_ESR), ESR_SEND_ILLEGAL_VECTOR, "%s: a self-IPI below 16 is an error",
       mode_name);
    apic_write(APIC_ESR, 0);
}

static void test_mode(enum apic_mode mode, const char *name)
{
    mode_name = name;
    apic_enable(mode);
    interrupt_handle(TIMER_VECTOR, on_timer);
    test_one_shot();
    test_periodic();
    test_deadline();
    test_priorities();
    test_nesting();
    test_shadow();
    test_nmi();
    test_halt();
    test_level();
    test_refused();
    test_spurious_writes();
}

static void test_x2apic_msrs(void)
{
    uint64_t value = 0;

    is(rdmsr(MSR_IA32_APIC_BASE) & APIC_BASE_X2APIC, APIC_BASE_X2APIC,
       "APIC_BASE shows x2APIC mode");
    is_trap(try_wrmsr(MSR_IA32_APIC_BASE, APIC_PAGE | APIC_BASE_BSP | APIC_BASE_ENABLE), VECTOR_GP,
            0, "x2APIC mode does not go back to xAPIC mode");
    is_trap(try_rdmsr(MSR_IA32_X2APIC + APIC_EOI / 16, &value), VECTOR_GP, 0, "EOI cannot be read");
    is_trap(try_wrmsr(MSR_IA32_X2APIC + APIC_EOI / 16, 1), VECTOR_GP, 0, "EOI takes only 0");
    is_trap(try_wrmsr(MSR_IA32_X2APIC + APIC_ID / 16, 0), VECTOR_GP, 0, "the id cannot be written");
    is_trap(try_wrmsr(MSR_IA32_X2APIC + APIC_TPR / 16, 0x100), VECTOR_GP, 0,
            "a reserved bit of the TPR");
    is_trap(try_rdmsr(MSR_IA32_X2APIC + APIC_DFR / 16, &value), VECTOR_GP, 0, "there is no DFR");
    is_trap(try_rdmsr(MSR_IA32_X2APIC + APIC_ICR_HIGH / 16, &value), VECTOR_GP, 0,
            "there is no second ICR register");
    is_trap(try_rdmsr(MSR_IA32_X2APIC + APIC_SELF_IPI / 16, &value), VECTOR_GP, 0,
            "SELF_IPI cannot be read");
}

void guest_main(void)
{
    test_mode(APIC_MEMORY, "xAPIC");
    if (!has_x2apic()) {
        skip("no x2APIC", "x2APIC");
        return;
    }
    test_mode(APIC_X2, "x2APIC");
    test_x2apic_msrs();
}
