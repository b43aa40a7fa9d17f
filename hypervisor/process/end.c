/* SPDX-License-Identifier: BSD-2-Clause */
/* A process's end, and the machine's: the last of those for whose sake it runs has ended. */
#include "hypervisor/process/channel.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"

static const char *kind; /* of those that count among the awaited */
static uint32_t awaited, count, ended, faults;

void process_await(struct process *p, const char *of_kind)
{
    p->awaited = true;
    kind = kind != NULL ? kind : of_kind;
    count += kind == of_kind;
    awaited++;
}

void process_end(struct process *p, bool fault, const char *why)
{
    const char *stops = p->service ? "ended" : "powered off";

    process_log_left_out(p);
    log_record(p->service ? LOG_LINE : LOG_VM_ENDED, p->vm, "%s %s: %s: %s", process_kind(p),
               p->info->name, fault ? "stopped for a fault" : stops, why);
    channel_end_all(p);
    if (!p->awaited)
        return;
    __atomic_fetch_add(&faults, fault, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST) < awaited)
        return;
    log_record(LOG_END, LOG_NO_VM, "end: %u %s, %u faults", count, kind, faults);
    if (!log_is_handed_over())
        machine_end();
}

/* In this order: the last one, on another CPU, may end meanwhile, and leave the machine's end to
 * the console. */
void process_printed(void)
{
    log_take_back();
    if (awaited > 0 && ended == awaited)
        machine_end();
}
