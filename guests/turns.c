/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debugger is to count (bench/msr): an exit that the host's timer makes while the guest
 * spins; and, if another VM runs this kernel too, one round of the two on their CPU: this one halts
 * with a deadline ahead, the other one spins until that is due. The one with less memory does
 * nothing but spin, so that it alone is the other one.
 *
 * Each run stands between XCHG BX, BX. Nothing else in it exits: the deadline is set before, and
 * the EOI comes after.
 */
#include "guests/lib/guest.h"

#define RUNS         16
#define TIMER_VECTOR 0x41
#define DEADLINE     15000   /* TSC ticks: more than a turn of any host takes */
#define START        5000000 /* until the other VM spins */
#define MEASURES     (32ULL << 20)

static volatile bool woken;

static void on_timer(struct interrupt_frame *frame)
{
    woken = true;
}

static void mark(void)
{
    __asm__ volatile("xchgw %%bx, %%bx" : : : "memory");
}

/* Values that are not the host's, and not the other VM's. */
static void set_syscall_msrs(void)
{
    uint64_t own = memory_end();

    wrmsr(MSR_IA32_STAR, 0x0013000800000000);
    wrmsr(MSR_IA32_LSTAR, 0xffffffff80000000 | own);
    wrmsr(MSR_IA32_CSTAR, 0xffffffff81001000 | own);
    wrmsr(MSR_IA32_FMASK, 0x47700);
    wrmsr(MSR_IA32_KERNEL_GS_BASE, 0xffff888000000000 | own);
    if (cpuid(0x80000001, 0).edx >> 27 & 1)
        wrmsr(MSR_IA32_TSC_AUX, own);
}

/* Returns false if another VM has had its turn meanwhile: the deadline may be over. */
static bool set_deadline(uint64_t ticks)
{
    uint64_t start = rdtsc();

    woken = false;
    wrmsr(MSR_IA32_TSC_DEADLINE, start + ticks);
    return rdtsc() - start < ticks / 2;
}

/* No PAUSE: that would exit as well. */
static void spin(void)
{
    interrupts_on();
    while (!woken)
        ;
    interrupts_off();
}

static void measure(void (*wait)(void))
{
    for (unsigned run = 0; run < RUNS; run++) {
        while (!set_deadline(DEADLINE)) {
            spin();
            apic_eoi();
        }
        mark();
        wait();
        mark();
        apic_eoi();
    }
}

void guest_main(void)
{
    set_syscall_msrs();
    apic_enable(APIC_X2);
    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_write(APIC_LVT_TIMER, LVT_TIMER_DEADLINE | TIMER_VECTOR);
    if (memory_end() <= MEASURES)
        spin();
    set_deadline(START);
    sti_hlt_cli();
    apic_eoi();
    measure(spin);
    measure(sti_hlt_cli);
    ok(true, "measured");
}
