/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/gate/gate.h"

#include "hypervisor/process/service.h"

static int64_t none(uint64_t a, uint64_t b, uint64_t c, struct process *p)
{
    return GATE_ENOSYS;
}

/* For each call what answers it, from a monitor and from another process. */
static gate_function *const calls[GATE_CALL_COUNT][2] = {
    [GATE_RUN] = {gate_run, none},
    [GATE_START] = {gate_start, none},
    [GATE_MESSAGE] = {gate_message, none},
    [GATE_LAPIC_READ] = {gate_lapic_read, none},
    [GATE_LAPIC_WRITE] = {gate_lapic_write, none},
    [GATE_TIMER] = {gate_timer, gate_timer},
    [GATE_LOG] = {gate_log, gate_log},
    [GATE_STOP] = {gate_stop, gate_stop},
    [GATE_SEGMENTS] = {gate_segments, none},
    [GATE_STATE] = {gate_state, none},
    [GATE_DOORBELL] = {gate_doorbell, none},
    [GATE_WAIT] = {none, gate_wait},
    [GATE_NOTIFY] = {gate_notify, gate_notify},
    [GATE_RESET] = {gate_reset, none},
    [GATE_KEYS] = {gate_keys, none},
    [GATE_ASK] = {gate_ask, none},
    [GATE_CONTROL] = {none, gate_control},
};

int64_t gate_dispatch(uint64_t a, uint64_t b, uint64_t c, struct process *p, uint64_t call)
{
    if (call >= GATE_CALL_COUNT)
        return GATE_ENOSYS;
    return calls[call][p->service](a, b, c, p);
}
