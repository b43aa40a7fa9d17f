/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/gate/gate.h"

static int64_t (*const calls[GATE_CALL_COUNT])(struct process *p, uint64_t a, uint64_t b,
                                               uint64_t c) = {
    [GATE_RUN] = gate_run,
    [GATE_START] = gate_start,
    [GATE_MESSAGE] = gate_message,
    [GATE_LAPIC_READ] = gate_lapic_read,
    [GATE_LAPIC_WRITE] = gate_lapic_write,
    [GATE_TIMER] = gate_timer,
    [GATE_CONSOLE_WRITE] = gate_console_write,
    [GATE_CONSOLE_READ] = gate_console_read,
    [GATE_LOG] = gate_log,
    [GATE_STOP] = gate_stop,
    [GATE_SEGMENTS] = gate_segments,
    [GATE_STATE] = gate_state,
};

int64_t gate_dispatch(uint64_t a, uint64_t b, uint64_t c, uint64_t call, struct process *p)
{
    return call < GATE_CALL_COUNT && calls[call] != NULL ? calls[call](p, a, b, c) : GATE_ENOSYS;
}
