/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/gate.h"
#include "runtime/log.h"
#include "runtime/process.h"
#include "services/console/console.h"

_Noreturn void process_main(const struct process_info *info)
{
    console_start(info, (void *)PROCESS_CHANNEL, (void *)PROCESS_LOG);
    console_work(0);
    for (;;) {
        int64_t events = gate_wait();
        if (events < 0)
            log_stop(GATE_STOP_FAULT, "the hypervisor lets no process wait (%ld)", (long)events);
        console_work((uint64_t)events);
    }
}
