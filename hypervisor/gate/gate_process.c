/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/gate/gate.h"
#include "hypervisor/process/channel.h"
#include "hypervisor/process/service.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/several.h"
#include "hypervisor/vm/vm.h"
#include "lib/bits.h"
#include "lib/string.h"

int64_t gate_timer(uint64_t tsc, uint64_t b, uint64_t c, struct process *p)
{
    if (__builtin_expect(p->thread != p->listener, 0))
        monitor_set_timer(VCPU_OF(p->thread)->vm, tsc);
    else
        sched_set_ring3_timer(p->listener, tsc);
    return 0;
}

static PER_CPU char said[160];

/* A copy of the text page's line, printable: what a process says cannot pretend to be the
 * hypervisor's own line. */
static const char *copy_text(const struct process *p, uint64_t length)
{
    char *line = THIS_CPU(said);
    size_t n = min_u64(length, sizeof(said) - 1);

    memcpy(line, p->text, n);
    line[n] = '\0';
    for (char *c = line; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return line;
}

int64_t gate_log(uint64_t length, uint64_t b, uint64_t c, struct process *p)
{
    if (length > PROCESS_TEXT_SIZE)
        return GATE_EINVAL;
    process_log(p, "%s", copy_text(p, length));
    return 0;
}

int64_t gate_stop(uint64_t how, uint64_t b, uint64_t c, struct process *p)
{
    const char *why = copy_text(p, strnlen(p->text, PROCESS_TEXT_SIZE));
    bool fault = how != GATE_STOP_POWER_OFF;

    if (p->service)
        service_stop(SERVICE_OF(p->thread), fault, why);
    vm_stop(VCPU_OF(p->thread)->vm, fault, why);
    schedule();
}

int64_t gate_wait(uint64_t channels, uint64_t interrupts, uint64_t c, struct process *p)
{
    if (!channel_has(p, channels) || interrupts >> p->info->interrupt_count != 0)
        return GATE_EINVAL;
    return service_wait(SERVICE_OF(p->thread), channels, interrupts);
}

int64_t gate_notify(uint64_t channels, uint64_t b, uint64_t c, struct process *p)
{
    if (!channel_has(p, channels))
        return GATE_EINVAL;
    channel_notify(p, channels);
    sched_set_timer(p->thread); /* it may go on without a call or an exit: then its turn ends */
    return 0;
}
