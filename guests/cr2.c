/* SPDX-License-Identifier: BSD-2-Clause */
/* CR2 is the guest's own while the CPU is with others: over HLT, time slices and
 * PAUSE loops (R11). */
#include "guests/lib/guest.h"

#define TIMER_VECTOR 0x41
#define ROUNDS       20
#define SLICES       600000 /* TSC ticks: several time slices of the emulated machine */
#define PAUSES       2000   /* beyond any window of PAUSE-loop exiting */
#define HLT_TICKS    50000

static void on_timer(struct interrupt_frame *frame)
{
    apic_eoi();
}

static void by_halt(void)
{
    apic_write(APIC_INITIAL_COUNT, HLT_TICKS);
    sti_hlt_cli();
}

static void by_slices(void)
{
    for (uint64_t start = rdtsc(); rdtsc() - start < SLICES / ROUNDS;)
        ;
}

static void by_pauses(void)
{
    for (unsigned i = 0; i < PAUSES; i++)
        cpu_relax();
}

/* From the TSC, so that two VMs with this kernel have different values. */
static void test_kept(void (*wait)(void), const char *name)
{
    bool kept = true;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t value = rdtsc() << 12 | i;
        write_cr2(value);
        wait();
        kept = kept && read_cr2() == value;
    }
    ok(kept, "CR2 stays over %s", name);
}

void guest_main(void)
{
    apic_enable(has_x2apic() ? APIC_X2 : APIC_MEMORY);
    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_write(APIC_LVT_TIMER, APIC_TIMER_ONE_SHOT | TIMER_VECTOR);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    test_kept(by_halt, "HLT");
    test_kept(by_slices, "time slices");
    test_kept(by_pauses, "PAUSE loops");
}
