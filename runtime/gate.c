/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/gate.h"

#include "abi/process.h"
#include "runtime/call.h"

enum gate_entry gate_entry;
uint64_t gate_notified;
static uint64_t handled; /* interrupts, until the next gate_wait */

/* Changes only while a monitor is in gate_run. */
static uint64_t behind(void)
{
    return ((const struct process_info *)PROCESS_INFO)->tsc_behind;
}

int64_t gate_wait(void)
{
    uint64_t interrupts = handled;

    handled = 0;
    return gate_call(GATE_WAIT, gate_take_notified(), interrupts, 0);
}

void gate_interrupts_done(uint64_t interrupts)
{
    handled |= interrupts;
}

void gate_notify(unsigned channel)
{
    gate_notified |= 1ULL << channel;
}

void gate_send(void)
{
    if (gate_notified != 0)
        gate_call(GATE_NOTIFY, gate_take_notified(), 0, 0);
}

int64_t gate_timer(uint64_t tsc)
{
    return gate_call(GATE_TIMER, tsc != UINT64_MAX ? tsc + behind() : tsc, 0, 0);
}

int64_t gate_log(size_t length)
{
    return gate_call(GATE_LOG, length, 0, 0);
}

int64_t gate_control(unsigned vm, enum gate_control what, uint64_t argument)
{
    return gate_call(GATE_CONTROL, vm, what, argument);
}

_Noreturn void gate_stop(enum gate_stop why)
{
    gate_call(GATE_STOP, why, 0, 0);
    __builtin_trap();
}

char *gate_text(void)
{
    return (char *)PROCESS_TEXT;
}

uint64_t gate_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t)high << 32 | low) - behind();
}
