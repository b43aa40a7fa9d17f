/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs that have to do with each other without end (R21, R41): each interrupts the others, by
 * chance one that computes, one that has halted, or one that has its monitor at work, and goes on
 * when that one has seen it; each takes a lock, and reads the TSC behind another one. Nothing is
 * lost, and nothing comes twice. Two to eight vCPUs.
 */
#include "guests/lib/ap.h"
#include "guests/lib/guest.h"

#define MAX_CPUS     8
#define ROUNDS       400
#define TIMER_VECTOR 0x40
#define VECTOR       0x50 /* and one of each further class for each sender */
#define NMI_VECTOR   2
#define NMI_ROUNDS   50
#define PATIENCE     100000000 /* TSC ticks */

static unsigned cpus;
static volatile uint32_t got[MAX_CPUS][MAX_CPUS]; /* of whom each has had how many */
static volatile uint32_t nmis[MAX_CPUS], late, backwards, finished, begun;
static uint32_t locked, counter;
static volatile uint64_t last_tsc;

static unsigned self(void)
{
    return apic_read(APIC_ID) >> (has_x2apic() ? 0 : 24);
}

static void on_interrupt(struct interrupt_frame *frame)
{
    got[self()][(frame->vector - VECTOR) / 16]++;
    apic_eoi();
}

static void on_timer(struct interrupt_frame *frame)
{
    apic_eoi();
}

static void on_nmi(struct interrupt_frame *frame)
{
    nmis[self()]++;
}

/* Until it is so many: computing, asleep for a while, or with an exit for the monitor. */
static void wait_for(volatile uint32_t *what, uint32_t value, uint32_t how)
{
    uint64_t start = rdtsc();

    while (*what != value && rdtsc() - start < PATIENCE) {
        if (how % 3 == 0) {
            cpu_relax();
        } else if (how % 3 == 1) {
            inb(0x80);
        } else {
            interrupts_off(); /* the timer may be due before HLT */
            apic_write(APIC_INITIAL_COUNT, 5000);
            sti_hlt_cli();
            interrupts_on();
        }
    }
    if (*what != value)
        __atomic_fetch_add(&late, 1, __ATOMIC_SEQ_CST);
}

static void count(void)
{
    while (__atomic_exchange_n(&locked, 1, __ATOMIC_SEQ_CST))
        cpu_relax();
    counter++;
    uint64_t now = rdtsc();
    if (now < last_tsc)
        backwards++;
    last_tsc = now;
    __atomic_store_n(&locked, 0, __ATOMIC_SEQ_CST);
}

static void use_apic(void)
{
    apic_enable(has_x2apic() ? APIC_X2 : APIC_MEMORY);
}

static void set_up(void)
{
    use_apic();
    apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    __atomic_fetch_add(&begun, 1, __ATOMIC_SEQ_CST);
    interrupts_on();
    wait_for(&begun, cpus, 0);
}

static void interrupt_others(void)
{
    uint32_t sent[MAX_CPUS] = {0};
    unsigned me = self();

    for (uint32_t i = 0, chance = me; i < ROUNDS; i++) {
        chance = chance * 1664525 + 1013904223;
        unsigned to = (me + 1 + (chance >> 16) % (cpus - 1)) % cpus;
        sent[to]++;
        apic_send(to, VECTOR + 16 * me);
        count();
        wait_for(&got[to][me], sent[to], chance >> 24);
    }
    __atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
}

static void member(void)
{
    set_up();
    interrupt_others();
    for (;;)
        sti_hlt_cli();
}

static uint32_t all_that_came(void)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < MAX_CPUS * MAX_CPUS; i++)
        sum += got[i / MAX_CPUS][i % MAX_CPUS];
    return sum;
}

void guest_main(void)
{
    cpus = cpuid(0xb, 1).ebx;
    if (cpus < 2 || cpus > MAX_CPUS)
        bail_out("%u vCPUs; two to eight are wanted", cpus);
    for (unsigned i = 0; i < MAX_CPUS; i++)
        interrupt_handle((uint8_t)(VECTOR + 16 * i), on_interrupt);
    interrupt_handle(TIMER_VECTOR, on_timer);
    interrupt_handle(NMI_VECTOR, on_nmi);
    use_apic();
    for (unsigned i = 1; i < cpus; i++)
        if (!ap_start(i, member))
            bail_out("vCPU %u does not start", i);
    set_up();
    interrupt_others();
    wait_for(&finished, cpus, 0);
    is(finished, cpus, "each vCPU comes to its end");
    is(late, 0, "none waits in vain");
    is(all_that_came(), cpus * ROUNDS, "each interrupt comes, once");
    is(counter, cpus * ROUNDS, "a lock is one's at a time");
    is(backwards, 0, "the TSC of one is not behind another one's");
    for (unsigned i = 0; i < NMI_ROUNDS; i++) {
        unsigned to = 1 + i % (cpus - 1);
        uint32_t before = nmis[to];
        apic_send(to, ICR_NMI);
        wait_for(&nmis[to], before + 1, i);
    }
    is(late, 0, "each NMI ends a vCPU's sleep");
}
