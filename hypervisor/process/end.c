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
    log_record(LOG_END, LOG_NO_VM, "end: %u %s, %u faults", count, kind, faults);
    if (!log_is_handed_over())
        machine_end();
}

void process_printed(void)
{
    if (count > 0 && ended == count)
        machine_end();
}
