/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/gate.h"
#include "runtime/log.h"
#include "runtime/process.h"
#include "services/control/control.h"
#include "services/control/watch.h"

_Noreturn void process_main(const struct process_info *info)
{
    if (!control_start(info, (const void *)(PROCESS_LOG + LOG_READER_SIZE),
                       (const void *)PROCESS_TRACE))
        log_stop(GATE_STOP_POWER_OFF, "no serial port answers at %x: nothing is controlled by it",
                 info->ports[0].first);
    watch_open(info, (void *)PROCESS_CHANNEL);
    control_work(0);
    for (;;)
        control_work((uint64_t)gate_wait());
}
