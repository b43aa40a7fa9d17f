/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that resets the machine, by the port of the reset control register, which the plan
 * gives it: at its first start, of which CMOS RAM tells, and which it has said something about. */
#include "runtime/io.h"
#include "runtime/log.h"
#include "runtime/process.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define CMOS_FREE  0x60
#define MARK       0xa7

#define RESET_CONTROL 0xcf9
#define RESET_NOW     0x06

_Noreturn void process_main(const struct process_info *info)
{
    outb(CMOS_INDEX, CMOS_FREE);
    if (inb(CMOS_DATA) == MARK)
        log_stop(GATE_STOP_POWER_OFF, "the machine has been reset");
    outb(CMOS_INDEX, CMOS_FREE);
    outb(CMOS_DATA, MARK);
    log_line("this is its last word");
    outb(RESET_CONTROL, RESET_NOW);
    for (;;)
        continue;
}
