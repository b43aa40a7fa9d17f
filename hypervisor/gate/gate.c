/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/gate/gate.h"

#include "hypervisor/process/service.h"

typedef int64_t gate_function(struct process *p, uint64_t a, uint64_t b, uint64_t c);

/* For each call what answers it, from a monitor and from another process; NULL: nothing does. */
static gate_function *const calls[GATE_CALL_COUNT][2] = {
    [GATE_RUN] = {gate_run},
    [GATE_START] = {gate_start},
    [GATE_MESSAGE] = {gate_message},
    [GATE_LAPIC_READ] = {gate_lapic_read},
    [GATE_LAPIC_WRITE] = {gate_lapic_write},
    [GATE_TIMER] = {gate_timer, gate_timer},
    [GATE_CONSOLE_WRITE] = {gate_console_write},
    [GATE_CONSOLE_READ] = {gate_console_read},
    [GATE_LOG] = {gate_log, gate_log},
    [GATE_STOP] = {gate_stop, gate_stop},
    [GATE_SEGMENTS] = {gate_segments},
    [GATE_STATE] = {gate_state},
    [GATE_DOORBELL] = {gate_doorbell},
    [GATE_WAIT] = {NULL, gate_wait},
    [GATE_NOTIFY] = {gate_notify, gate_notify},
    [GATE_INTERRUPT_DONE] = {NULL, gate_interrupt_done},
};

int64_t gate_dispatch(uint64_t a, uint64_t b, uint64_t c, uint64_t call, struct process *p)
{
    if (call >= GATE_CALL_COUNT || calls[call][p->service] == NULL)
        return GATE_ENOSYS;
    return calls[call][p->service](p, a, b, c);
}
