/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor of one virtual machine: a process in ring 3 of the host.
 *
 * Everything it has is mapped before it starts (abi/gate.h). It loads the guest, and then runs it
 * from one exit to the next, in the shape of a KVM run loop.
 */
#include "monitor/board.h"
#include "monitor/exit.h"
#include "monitor/gate.h"
#include "monitor/report.h"
#include "monitor/start.h"
#include "runtime/call.h"

static struct board board;

_Noreturn void _start(void);

_Noreturn void _start(void)
{
    const struct process_info *process = (const struct process_info *)PROCESS_INFO;
    struct exit_page *pages = (struct exit_page *)MONITOR_EXIT;

    gate_entry = (enum gate_entry)process->gate;
    if (process->version != GATE_VERSION)
        report_stop(GATE_STOP_FAULT,
                    "the gate has version %u, the monitor needs %u: build the "
                    "image again",
                    process->version, GATE_VERSION);
    board_init(&board, (const struct monitor_info *)MONITOR_INFO, (uint8_t *)MONITOR_MEMORY);
    machine_start(&board, pages);
    for (;;) {
        int64_t vcpu = gate_run();

        if (vcpu < 0)
            report_stop(GATE_STOP_FAULT, "a vCPU cannot run; see the hypervisor's log");
        exit_handle(&board, (unsigned)vcpu, &pages[vcpu]);
    }
}
