/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perfetto's trace format: protocol buffers (https://protobuf.dev/programming-guides/encoding) of a
 * few messages. The numbers are those of protos/perfetto/trace/ in Perfetto's source;
 * tests/native/tool/perfetto.proto has what we write of them.
 */
#include <string.h>

#include "lib/bits.h"
#include "tool/trace_print.h"

enum wire_type { VARINT, BYTES = 2 };

enum { TRACE_PACKET = 1 }; /* Trace */
enum { TIMESTAMP = 8, SEQUENCE_ID = 10, TRACK_EVENT, SEQUENCE_FLAGS = 13, TRACK_DESCRIPTOR = 60 };
enum { UUID = 1, NAME = 2, PARENT_UUID = 5 };                               /* TrackDescriptor */
enum { DEBUG_ANNOTATIONS = 4, TYPE = 9, TRACK_UUID = 11, EVENT_NAME = 23 }; /* TrackEvent */
enum { UINT_VALUE = 3, STRING_VALUE = 6, POINTER_VALUE = 7, ANNOTATION_NAME = 10 };

enum event_type { SLICE_BEGIN = 1, SLICE_END, INSTANT };

#define INCREMENTAL_STATE_CLEARED 1
#define SEQUENCE                  1 /* all packets are of one */

/* The tracks' numbers: three groups, and what is in them. */
#define CPUS           1u
#define PROCESSES      2u
#define VM(n)          (0x10u + (n))
#define CPU(n)         (0x1000u + (n))
#define PROCESS(n)     (0x2000u + (n))
#define VCPU(vm, vcpu) (0x3000u + 0x100u * (vm) + (vcpu))

struct message {
    uint8_t bytes[1024];
    size_t size;
};

static void put_varint(struct message *m, uint64_t value)
{
    do {
        m->bytes[m->size++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
}

static void put_number(struct message *m, unsigned field, uint64_t value)
{
    put_varint(m, field << 3 | VARINT);
    put_varint(m, value);
}

static void put_bytes(struct message *m, unsigned field, const void *bytes, size_t size)
{
    put_varint(m, field << 3 | BYTES);
    put_varint(m, size);
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static void put_text(struct message *m, unsigned field, const char *text)
{
    put_bytes(m, field, text, strlen(text));
}

struct writing {
    FILE *to;
    const struct trace_names *names;
    uint64_t first; /* TSC */
    bool begun;
};

static void write_packet(struct writing *w, struct message *packet)
{
    struct message head = {.size = 0};

    put_number(packet, SEQUENCE_ID, SEQUENCE);
    if (!w->begun)
        put_number(packet, SEQUENCE_FLAGS, INCREMENTAL_STATE_CLEARED);
    w->begun = true;
    put_varint(&head, TRACE_PACKET << 3 | BYTES);
    put_varint(&head, packet->size);
    fwrite(head.bytes, 1, head.size, w->to);
    fwrite(packet->bytes, 1, packet->size, w->to);
}

static void write_track(struct writing *w, uint64_t uuid, uint64_t parent, const char *name)
{
    struct message track = {.size = 0}, packet = {.size = 0};

    put_number(&track, UUID, uuid);
    put_text(&track, NAME, name);
    if (parent != 0)
        put_number(&track, PARENT_UUID, parent);
    put_bytes(&packet, TRACK_DESCRIPTOR, track.bytes, track.size);
    write_packet(w, &packet);
}

static void annotate(struct message *event, const char *name, const char *text)
{
    struct message annotation = {.size = 0};

    put_text(&annotation, ANNOTATION_NAME, name);
    put_text(&annotation, STRING_VALUE, text);
    put_bytes(event, DEBUG_ANNOTATIONS, annotation.bytes, annotation.size);
}

static void annotate_rip(struct message *event, uint64_t rip)
{
    struct message annotation = {.size = 0};

    put_text(&annotation, ANNOTATION_NAME, "rip");
    put_number(&annotation, POINTER_VALUE, rip);
    put_bytes(event, DEBUG_ANNOTATIONS, annotation.bytes, annotation.size);
}

/* With a name it begins; `of` is told with it. */
static void write_event(struct writing *w, enum event_type type, uint64_t track, uint64_t tsc,
                        const char *name, const struct trace_event *of)
{
    struct message event = {.size = 0}, packet = {.size = 0};
    uint64_t ns = (uint64_t)((unsigned __int128)(tsc - w->first) * 1000000 / w->names->tsc_khz);

    put_number(&event, TYPE, type);
    put_number(&event, TRACK_UUID, track);
    if (name)
        put_text(&event, EVENT_NAME, name);
    if (of && of->kind == TRACE_EVENT_EXIT)
        annotate_rip(&event, of->rip);
    if (of && *trace_detail(of) != '\0')
        annotate(&event, "detail", trace_detail(of));
    put_number(&packet, TIMESTAMP, ns);
    put_bytes(&packet, TRACK_EVENT, event.bytes, event.size);
    write_packet(w, &packet);
}

/* What has no end in the trace is a moment. */
static void write_slice(struct writing *w, uint64_t track, const char *name,
                        const struct trace_event *e, uint64_t inner)
{
    write_event(w, e->end != 0 ? SLICE_BEGIN : INSTANT, track, e->start, name, e);
    if (e->end == 0)
        return;
    if (inner != 0) {
        write_event(w, SLICE_BEGIN, track, inner, "monitor", NULL);
        write_event(w, SLICE_END, track, e->end, NULL, NULL);
    }
    write_event(w, SLICE_END, track, e->end, NULL, NULL);
}

static void write_events(struct writing *w, const struct trace_events *events)
{
    for (size_t i = 0; i < events->count; i++) {
        const struct trace_event *e = &events->event[i];
        uint32_t vm = TRACE_VM(e->what), number = TRACE_NUMBER(e->what);
        if (e->kind != TRACE_EVENT_TURN) {
            write_slice(w, VCPU(vm, number), trace_what(e), e,
                        e->kind == TRACE_EVENT_EXIT ? e->monitor : 0);
            continue;
        }
        write_slice(w, CPU(e->cpu), trace_who(w->names, e), e, 0);
        if (vm == TRACE_PROCESS)
            write_slice(w, PROCESS(number), "runs", e, 0);
    }
}

/* Whose events there are: each track once, its group before it. */
static void write_tracks(struct writing *w, const struct trace_events *events)
{
    static bool seen[0x4000]; /* by the track's number */

    memset(seen, 0, sizeof(seen));
    write_track(w, CPUS, 0, "CPUs");
    write_track(w, PROCESSES, 0, "Processes");
    for (size_t i = 0; i < events->count; i++) {
        const struct trace_event *e = &events->event[i];
        uint32_t vm = TRACE_VM(e->what), number = TRACE_NUMBER(e->what), cpu = CPU(e->cpu);
        uint32_t track = vm == TRACE_PROCESS ? PROCESS(number) : VCPU(vm, number);
        char name[16];
        if (!seen[cpu]) {
            snprintf(name, sizeof(name), "CPU %u", e->cpu);
            write_track(w, cpu, CPUS, name);
        }
        if (vm != TRACE_PROCESS && !seen[VM(vm)]) {
            write_track(w, VM(vm), 0, w->names->vms[vm]);
            seen[VM(vm)] = true;
        }
        if (!seen[track])
            write_track(w, track, vm == TRACE_PROCESS ? PROCESSES : VM(vm), trace_who(w->names, e));
        seen[cpu] = seen[track] = true;
    }
}

void trace_print_perfetto(FILE *to, const struct trace_names *names,
                          const struct trace_events *events)
{
    struct writing writing = {
        .to = to, .names = names, .first = events->count > 0 ? events->event[0].start : 0};

    write_tracks(&writing, events);
    write_events(&writing, events);
}
