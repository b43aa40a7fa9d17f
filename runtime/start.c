/* SPDX-License-Identifier: BSD-2-Clause */
/* The entry of a program in ring 3 that is no monitor: everything it has is mapped already. */
#include "runtime/call.h"
#include "runtime/log.h"
#include "runtime/process.h"

_Noreturn void _start(void);

_Noreturn void _start(void)
{
    const struct process_info *info = (const struct process_info *)PROCESS_INFO;

    gate_entry = (enum gate_entry)info->gate;
    if (info->version != GATE_VERSION)
        log_stop(GATE_STOP_FAULT,
                 "the gate has version %u, the program needs %u: build the image again",
                 info->version, GATE_VERSION);
    process_main(info);
}
