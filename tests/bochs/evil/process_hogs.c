/* SPDX-License-Identifier: BSD-2-Clause */
/* Too much of what all share, each way for a while; and work beside it, with its share counted. */
#include "guests/lib/pace.h"
#include "lib/bits.h"
#include "runtime/call.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "runtime/log.h"
#include "tests/bochs/evil/odd_call.h"
#include "tests/bochs/evil/process.h"

#define HOG_MS      150
#define WINDOW_MS   100
#define LEAST_SHARE 450 /* thousandths */
#define DEATHS      4   /* one less than it is started again for at once */

/* Interrupts of the process's row in the plan, and their devices' ports. */
#define SCI          0
#define TIMER        1
#define PM_STATUS    (INFO->ports[0].first)
#define PM_ENABLE    (INFO->ports[0].first + 2)
#define PM_TIMER     (1u << 0)
#define PIT_COUNTER  0x40
#define PIT_CONTROL  0x43
#define PIT_RATE     0x34 /* counter 0, both bytes, mode 2 */
#define PIT_SHORTEST 2

/* Outlives the process, behind NEXT_ROW: until when the hog of that row goes on. */
#define UNTIL ((volatile uint64_t *)PROCESS_DMA + 1)

static unsigned came[2]; /* of each interrupt */

static void wait_and_count(void)
{
    int64_t events = gate_wait();

    came[SCI] += (events & (int64_t)EVENT_INTERRUPT(SCI)) != 0;
    came[TIMER] += (events & (int64_t)EVENT_INTERRUPT(TIMER)) != 0;
}

static void hog_compute(void)
{
    for (volatile unsigned i = 0; i < 10000; i++)
        ;
}

static void hog_call(void)
{
    odd_call(&(struct odd_call){.number = UINT64_MAX, .flags = 2});
}

static void hog_notify(void)
{
    gate_call(GATE_NOTIFY, 1, 0, 0);
}

static void hog_notify_and_sleep(void)
{
    gate_notify(0);
    gate_timer(gate_tsc() + INFO->tsc_khz / 20);
    wait_and_count();
}

static void hog_timers_in_the_past(void)
{
    gate_timer(1);
    wait_and_count();
}

static void hog_log(void)
{
    log_line("and one more");
}

/* The power management timer's, which asks until its status is cleared: nobody does. */
static void hog_level_interrupt(void)
{
    outw(PM_ENABLE, PM_TIMER);
    gate_interrupts_done(BIT(SCI));
    gate_timer(1);
    wait_and_count();
}

/* As many as the interval timer can ask for. */
static void hog_edge_interrupts(void)
{
    outb(PIT_CONTROL, PIT_RATE);
    outb(PIT_COUNTER, PIT_SHORTEST);
    outb(PIT_COUNTER, 0);
    for (unsigned i = 0; i < 1000; i++) {
        gate_interrupts_done(BIT(TIMER));
        gate_timer(1);
        wait_and_count();
    }
}

static void hog_die(void)
{
    if (INFO->starts <= DEATHS)
        __builtin_trap();
    hog_compute();
}

#define GROUP(name, words)
#define DEED(name, pattern)
#define EDGE(name, access, address)
#define HOG(name) {#name, hog_##name},
static const struct {
    const char *name;
    deed *take;
} hogs[] = {
#include "tests/bochs/evil/process.def"
};
#undef HOG

_Noreturn void take_too_much(void)
{
    for (;; ++*NEXT_ROW) {
        unsigned i = *NEXT_ROW % ARRAY_SIZE(hogs);

        if (*UNTIL < gate_tsc()) {
            log_line("%s; %u and %u interrupts came", hogs[i].name, came[SCI], came[TIMER]);
            *UNTIL = gate_tsc() + HOG_MS * INFO->tsc_khz;
        }
        while (gate_tsc() < *UNTIL)
            hogs[i].take();
        gate_interrupts_done(BIT(SCI));
    }
}

_Noreturn void work(void)
{
    uint64_t took = pace_work(), chunk = pace_chunk(),
             share = pace_least_share(WINDOW_MS * INFO->tsc_khz);

    log_line("worst window %lu, whole %lu thousandths", share, chunk * PACE_CHUNKS * 1000 / took);
    expect(share >= LEAST_SHARE, "a window of 100 ms with less than 45 % of the CPU");
    expect(took <= chunk * PACE_CHUNKS * 11 / 5, "it took more than 2.2 times what it takes alone");
    log_stop(GATE_STOP_POWER_OFF, "done");
}
