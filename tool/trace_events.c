/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/trace_events.h"

#include <stdlib.h>

#include "tool/report.h"

#define NONE SIZE_MAX

/* A vCPU, while its records are read: places of its events that its next entry ends. */
struct vcpu {
    size_t exit, monitor;
    bool counted; /* msr_accesses is what the last entry told */
    uint64_t msr_accesses;
};

/* A thread's last one. */
struct turn {
    size_t event;
    uint64_t ran; /* what it had had of its CPU until then */
};

struct reading {
    struct trace_events *events;
    uint32_t cpu;
    struct turn turns[256][256]; /* by TRACE_VM and TRACE_NUMBER */
    struct vcpu vcpus[PLAN_MAX_VMS][PLAN_MAX_VCPUS];
};

static size_t add(struct reading *r, enum trace_event_kind kind, const struct trace_record *record)
{
    struct trace_events *e = r->events;

    if (e->count == e->room) {
        e->room = e->room > 0 ? 2 * e->room : 1024;
        e->event = reallocarray(e->event, e->room, sizeof(*e->event));
        if (!e->event)
            exit(fail(LINTEL_MACHINE, "out of memory"));
    }
    e->event[e->count] = (struct trace_event){
        .kind = kind, .start = record->tsc, .cpu = r->cpu, .what = record->what};
    return e->count++;
}

static void take_exit(struct reading *r, struct vcpu *v, const struct trace_record *record)
{
    size_t place = add(r, TRACE_EVENT_EXIT, record);
    struct trace_event *event = &r->events->event[place];

    event->rip = record->value;
    event->detail = record->detail;
    event->injected = record->event;
    event->ring0 = record->ticks != 0;
    if (event->ring0)
        event->end = record->tsc + record->ticks;
    v->exit = event->ring0 ? NONE : place;
    v->monitor = NONE;
}

/* The first turn of the monitor behind an exit is for this; another one is for itself. */
static void take_monitor(struct reading *r, struct vcpu *v, const struct trace_record *record)
{
    bool is_exits = v->exit != NONE && r->events->event[v->exit].monitor == 0;
    size_t place = is_exits ? v->exit : add(r, TRACE_EVENT_MONITOR, record);
    struct trace_event *event = &r->events->event[place];

    if (!is_exits && v->monitor != NONE)
        r->events->event[v->monitor].end = record->tsc;
    if (!is_exits)
        v->monitor = place;
    event->monitor = record->tsc;
    event->monitor_kind = record->detail;
    event->monitor_events = record->value;
}

static void take_entry(struct reading *r, struct vcpu *v, const struct trace_record *record)
{
    const size_t places[] = {v->exit, v->monitor};
    uint64_t before = v->counted ? v->msr_accesses : record->value;

    for (unsigned i = 0; i < 2; i++)
        if (places[i] != NONE) {
            struct trace_event *event = &r->events->event[places[i]];
            event->end = record->tsc;
            event->injected = record->event;
            event->msr_accesses = record->value - before;
        }
    v->exit = v->monitor = NONE;
    v->counted = true;
    v->msr_accesses = record->value;
}

/* How long the turn before took, what it had had of the CPU at the next one says: meanwhile it ran
 * no more. */
static void take_turn(struct reading *r, const struct trace_record *record)
{
    struct turn *t = &r->turns[TRACE_VM(record->what)][TRACE_NUMBER(record->what)];

    if (t->event != NONE)
        r->events->event[t->event].end =
            r->events->event[t->event].start + (record->value - t->ran);
    t->event = add(r, TRACE_EVENT_TURN, record);
    t->ran = record->value;
}

/* A vCPU, or a process, which only has turns. */
static bool is_somebodys(uint32_t what)
{
    if (TRACE_VM(what) == TRACE_PROCESS)
        return TRACE_KIND(what) == TRACE_TURN && TRACE_NUMBER(what) < PLAN_MAX_PROCESSES;
    return TRACE_VM(what) < PLAN_MAX_VMS && TRACE_NUMBER(what) < PLAN_MAX_VCPUS;
}

/* What comes from the line is looked at here: the events are of somebody. */
static void take(struct reading *r, const struct trace_record *record)
{
    if (!is_somebodys(record->what))
        return;
    if (TRACE_KIND(record->what) == TRACE_TURN) {
        take_turn(r, record);
        return;
    }
    struct vcpu *v = &r->vcpus[TRACE_VM(record->what)][TRACE_NUMBER(record->what)];
    switch (TRACE_KIND(record->what)) {
    case TRACE_EXIT:
        take_exit(r, v, record);
        break;
    case TRACE_MONITOR:
        take_monitor(r, v, record);
        break;
    default:
        take_entry(r, v, record);
    }
}

void trace_events_add(struct trace_events *events, uint32_t cpu, const struct trace_record *records,
                      size_t count)
{
    static struct reading reading;

    reading.events = events;
    reading.cpu = cpu;
    for (unsigned vm = 0; vm < 256; vm++)
        for (unsigned i = 0; i < 256; i++)
            reading.turns[vm][i] = (struct turn){.event = NONE};
    for (unsigned vm = 0; vm < PLAN_MAX_VMS; vm++)
        for (unsigned i = 0; i < PLAN_MAX_VCPUS; i++)
            reading.vcpus[vm][i] = (struct vcpu){.exit = NONE, .monitor = NONE};
    for (size_t i = 0; i < count; i++)
        take(&reading, &records[i]);
}

static int compare(const void *a, const void *b)
{
    const struct trace_event *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (y->kind == TRACE_EVENT_TURN) - (x->kind == TRACE_EVENT_TURN);
}

void trace_events_sort(struct trace_events *events)
{
    if (events->count > 0)
        qsort(events->event, events->count, sizeof(*events->event), compare);
}

void trace_events_between(struct trace_events *events, uint64_t first, uint64_t last)
{
    size_t count = 0;

    for (size_t i = 0; i < events->count; i++)
        if (events->event[i].start >= first && events->event[i].start <= last)
            events->event[count++] = events->event[i];
    events->count = count;
}

void trace_events_free(struct trace_events *events)
{
    free(events->event);
    *events = (struct trace_events){0};
}
