/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's end: the last of those for whose sake it runs has ended. */
#include "hypervisor/process/process.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"

static const char *kind; /* of those that are awaited */
static uint32_t count, ended, faults;

void process_await(struct process *p, const char *of_kind)
{
    p->awaited = true;
    kind = of_kind;
    count++;
}

void process_ended(struct process *p, bool fault)
{
    if (!p->awaited)
        return;
    ended++;
    faults += fault;
    if (ended < count)
        return;
    log_line("end: %u %s, %u faults", count, kind, faults);
    machine_end();
}
