/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/gate/gate.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/vm.h"
#include "lib/bits.h"
#include "lib/string.h"

int64_t gate_timer(struct process *p, uint64_t tsc, uint64_t b, uint64_t c)
{
    p->thread->timer = tsc;
    sched_own_event_changed(p->thread);
    return 0;
}

/* A copy of the text page's line, printable: what a process says cannot pretend to be the
 * hypervisor's own line. */
static const char *copy_text(const struct process *p, uint64_t length)
{
    static char line[160];
    size_t n = min_u64(length, sizeof(line) - 1);

    memcpy(line, p->text, n);
    line[n] = '\0';
    for (char *c = line; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return line;
}

int64_t gate_log(struct process *p, uint64_t length, uint64_t b, uint64_t c)
{
    if (length > PROCESS_TEXT_SIZE)
        return GATE_EINVAL;
    vm_log(VCPU_OF(p->thread)->vm, "%s", copy_text(p, length));
    return 0;
}

int64_t gate_stop(struct process *p, uint64_t how, uint64_t b, uint64_t c)
{
    vm_stop(VCPU_OF(p->thread)->vm, how != GATE_STOP_POWER_OFF,
            copy_text(p, strnlen(p->text, PROCESS_TEXT_SIZE)));
    schedule();
}
