/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a snapshot must keep: rounds, each of which follows from the one before through all kinds of
 * state, so that a round says the same again when the VM is what it was. A round writes PAGES
 * pages, registers of the vector unit, debug registers, CR2 and MSRs, sleeps until its timer wakes
 * it, and says what its clocks say. Rounds begin without end.
 */
#include "guests/lib/guest.h"

#define PAGES        1000
#define TURNS        80 /* the console tells what rounds say no later than the next comes */
#define TIMER_VECTOR 0x41
#define SLEEP        50000 /* TSC ticks */
#define PM_TIMER_HZ  3579545

static uint64_t memory[PAGES][512] __attribute__((aligned(4096)));
static volatile unsigned woken;

static void on_timer(struct interrupt_frame *frame)
{
    woken++;
    apic_eoi();
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ b) * 0x9e3779b97f4a7c15ULL;
    return a ^ a >> 29;
}

/* What the round before has left there takes part, and the result is left there. */
static uint64_t turn_registers(uint64_t hash)
{
    static const uint32_t msrs[] = {MSR_IA32_STAR, MSR_IA32_CSTAR, MSR_IA32_KERNEL_GS_BASE,
                                    MSR_IA32_TSC_AUX, MSR_IA32_SYSENTER_CS};
    uint64_t vector, dr, cr2;

    __asm__ volatile("movq %%xmm7, %0; mov %%dr1, %1; mov %%cr2, %2"
                     : "=r"(vector), "=r"(dr), "=r"(cr2));
    hash = mix(mix(mix(hash, vector), dr), cr2);
    for (unsigned i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
        hash = mix(hash, rdmsr(msrs[i]));
        wrmsr(msrs[i], hash & 0x7fffffff);
    }
    __asm__ volatile("movq %0, %%xmm7; mov %0, %%dr1; mov %0, %%cr2" : : "r"(hash));
    return hash;
}

static uint64_t turn_memory(uint64_t hash)
{
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t *word = &memory[i][hash % 512];
        hash = mix(hash, *word + i);
        *word = hash;
    }
    return hash;
}

static void sleep_a_while(void)
{
    unsigned before = woken;

    wrmsr(MSR_IA32_TSC_DEADLINE, rdtsc() + SLEEP);
    while (woken == before)
        sti_hlt_cli();
}

static uint32_t pm_timer(void)
{
    return inl(PM_TIMER) & 0xffffff;
}

static uint64_t measure_khz(void)
{
    uint64_t tsc = rdtsc();
    uint32_t start = pm_timer(), passed;

    do
        passed = (pm_timer() - start) & 0xffffff;
    while (passed < PM_TIMER_HZ / 20);
    return (rdtsc() - tsc) * (PM_TIMER_HZ / 1000) / passed;
}

/* How far the ACPI timer, which wraps, has gone away from the TSC since this was asked first. */
static uint64_t apart(uint64_t khz)
{
    static const uint64_t wraps = 0x1000000;
    static uint64_t first, first_pm;
    uint64_t tsc = rdtsc(), pm = pm_timer();

    if (first == 0) {
        first = tsc;
        first_pm = pm;
    }
    uint64_t expected = first_pm + (tsc - first) * (PM_TIMER_HZ / 1000) / khz;
    uint64_t ahead = (pm - expected) % wraps, behind = wraps - ahead;
    return min_u64(ahead, behind) / (PM_TIMER_HZ / 1000);
}

void guest_main(void)
{
    uint64_t hash = 1, khz;

    apic_enable(APIC_X2);
    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_write(APIC_LVT_TIMER, TIMER_VECTOR | LVT_TIMER_DEADLINE);
    write_cr4(read_cr4() | CR4_OSFXSR);
    khz = measure_khz();
    for (uint64_t round = 1;; round++) {
        for (unsigned i = 0; i < TURNS; i++)
            hash = turn_memory(turn_registers(hash));
        sleep_a_while();
        print("# round %lu: %016lx at %lu, clocks %lu ms apart\n", round, hash, rdtsc(),
              apart(khz));
    }
}
