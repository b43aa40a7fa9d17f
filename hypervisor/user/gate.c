/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of abi/gate.h. Arguments come from ring 3: each call checks its own. */
#include "abi/gate.h"

#include "hypervisor/boot/options.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/console.h"
#include "hypervisor/sched/resident.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/user/monitor.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/guest_tsc.h"
#include "hypervisor/vm/reply.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

#define APIC_PAGE_SIZE 0x1000

void exit_to_monitor(struct vcpu *v, enum exit_kind kind)
{
    struct exit_page *page = v->page;

    v->mode = VCPU_IN_MONITOR;
    v->exit_kind = kind;
    page->kind = kind;
    page->events = v->monitor_events;
    v->monitor_events = 0;
    if (kind == EXIT_EOI) {
        page->eoi.vector = v->eoi_pending - 1;
        v->eoi_pending = 0;
    }
    if (v->eoi_pending == 0)
        v->work &= ~WORK_MONITOR;
    resident_to_monitor(v);
    sched_set_monitor_timer();
    monitor_return(v, 0);
}

void exit_shutdown(struct vcpu *v, enum exit_shutdown reason, uint32_t detail)
{
    v->page->shutdown.reason = reason;
    v->page->shutdown.detail = detail;
    vcpu_save_state(v, &v->page->state);
    exit_to_monitor(v, EXIT_SHUTDOWN);
}

static int64_t gate_run(struct vcpu *v, uint64_t index, uint64_t b, uint64_t c)
{
    if (index >= v->vm->plan->vcpus)
        return GATE_EINVAL;
    if (!v->started)
        return GATE_ESTATE;
    vcpu_load(v);
    reply_apply(v);
    v->mode = VCPU_IN_GUEST;
    sched_enter_guest(v);
}

static int64_t gate_start(struct vcpu *v, uint64_t index, uint64_t b, uint64_t c)
{
    if (index >= v->vm->plan->vcpus)
        return GATE_EINVAL;
    v->exit_kind = EXIT_EVENTS;
    if (options.counters)
        vm_log(v->vm, "starts at TSC %lu, the hypervisor at %lu", rdtsc(), boot_tsc);
    return vcpu_start(v) ? 0 : GATE_ESTATE;
}

static int64_t gate_message(struct vcpu *v, uint64_t address, uint64_t data, uint64_t c)
{
    struct apic_message message;

    if (!vlapic_message(address, (uint32_t)data, &message))
        return GATE_EINVAL;
    return events_message(v, &message);
}

static int64_t gate_lapic_read(struct vcpu *v, uint64_t index, uint64_t offset, uint64_t c)
{
    if (index >= v->vm->plan->vcpus || offset >= APIC_PAGE_SIZE)
        return GATE_EINVAL;
    return vlapic_read_mmio(&v->lapic, (uint32_t)offset, guest_tsc(v));
}

static int64_t gate_lapic_write(struct vcpu *v, uint64_t index, uint64_t offset, uint64_t value)
{
    struct vlapic_effect effect;

    if (index >= v->vm->plan->vcpus || offset >= APIC_PAGE_SIZE)
        return GATE_EINVAL;
    vlapic_write_mmio(&v->lapic, (uint32_t)offset, (uint32_t)value, guest_tsc(v), &effect);
    events_apic_effect(v, &effect);
    return 0;
}

static int64_t gate_timer(struct vcpu *v, uint64_t tsc, uint64_t b, uint64_t c)
{
    v->timer = tsc;
    sched_own_event_changed(v);
    return 0;
}

static int64_t gate_console_write(struct vcpu *v, uint64_t length, uint64_t b, uint64_t c)
{
    if (length > MONITOR_TEXT_SIZE)
        return GATE_EINVAL;
    return (int64_t)console_write(v->vm, v->vm->text, length);
}

static int64_t gate_console_read(struct vcpu *v, uint64_t max, uint64_t b, uint64_t c)
{
    if (max > MONITOR_TEXT_SIZE)
        return GATE_EINVAL;
    return (int64_t)console_read(v->vm, v->vm->text, max);
}

/* A copy of the text page's line, printable: what a monitor says cannot pretend to be the
 * hypervisor's own line. */
static const char *copy_text(const struct vcpu *v, uint64_t length)
{
    static char line[160];
    size_t n = min_u64(length, sizeof(line) - 1);

    memcpy(line, v->vm->text, n);
    line[n] = '\0';
    for (char *c = line; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return line;
}

static int64_t gate_log(struct vcpu *v, uint64_t length, uint64_t b, uint64_t c)
{
    if (length > MONITOR_TEXT_SIZE)
        return GATE_EINVAL;
    vm_log(v->vm, "%s", copy_text(v, length));
    return 0;
}

static int64_t gate_stop(struct vcpu *v, uint64_t how, uint64_t b, uint64_t c)
{
    vm_stop(v->vm, how != GATE_STOP_POWER_OFF,
            copy_text(v, strnlen(v->vm->text, MONITOR_TEXT_SIZE)));
    schedule();
}

static int64_t gate_segments(struct vcpu *v, uint64_t index, uint64_t b, uint64_t c)
{
    if (index >= v->vm->plan->vcpus)
        return GATE_EINVAL;
    vcpu_load(v);
    vcpu_save_segments(&v->page->state);
    return 0;
}

static int64_t (*const calls[])(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c) = {
    [GATE_RUN] = gate_run,
    [GATE_START] = gate_start,
    [GATE_MESSAGE] = gate_message,
    [GATE_LAPIC_READ] = gate_lapic_read,
    [GATE_LAPIC_WRITE] = gate_lapic_write,
    [GATE_TIMER] = gate_timer,
    [GATE_CONSOLE_WRITE] = gate_console_write,
    [GATE_CONSOLE_READ] = gate_console_read,
    [GATE_LOG] = gate_log,
    [GATE_STOP] = gate_stop,
    [GATE_SEGMENTS] = gate_segments,
};

int64_t gate_dispatch(uint64_t a, uint64_t b, uint64_t c, uint64_t call, struct vcpu *v)
{
    return call < ARRAY_SIZE(calls) ? calls[call](v, a, b, c) : GATE_ENOSYS;
}
