/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/trace_fetch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bits.h"
#include "lib/trace_pack.h"
#include "tool/unfinished.h"

#define RECORD        sizeof(struct trace_record)
#define PIECE         0x4000u  /* bytes of records that are fetched at once, from the last on */
#define PROGRESS_STEP 0x20000u /* bytes of records between words of how far it is */

static enum control_error ask(const struct tracing *t, enum control_call call, unsigned number,
                              uint64_t argument)
{
    struct control_answer answer;

    return control_line_ask(t->line, call, number, argument, &answer);
}

/* All that is on, or what can be. */
static enum exit_code switch_all(struct tracing *t, uint32_t on)
{
    for (unsigned i = 0; i < PLAN_MAX_VMS; i++)
        if (t->vms & BIT(i) && ask(t, CONTROL_CALL_TRACE, i, on) != CONTROL_OK)
            return control_line_gone(t->line);
    for (unsigned i = 0; i < PLAN_MAX_PROCESSES; i++) {
        if (on == 0 && !(t->processes & BIT(i)))
            continue;
        enum control_error error = ask(t, CONTROL_CALL_TRACE, i, CONTROL_TRACE_PROCESS | on);
        if (error == CONTROL_SILENT)
            return control_line_gone(t->line);
        if (error == CONTROL_OK)
            t->processes |= (uint32_t)BIT(i);
    }
    return LINTEL_OK;
}

/* Part of a ring from a position on; `is` says which. */
static enum control_error fetch_part(const struct tracing *t, unsigned ring, uint64_t at,
                                     struct control_records *is, struct control_answer *answer)
{
    enum control_error error = control_line_ask(t->line, CONTROL_CALL_RECORDS, ring, at, answer);

    memcpy(is, answer->data, sizeof(*is));
    return error;
}

enum exit_code tracing_begin(struct tracing *t, struct control_line *line, uint32_t vms)
{
    struct control_answer answer;
    struct control_records is;
    enum control_error error;

    *t = (struct tracing){.line = line, .vms = vms};
    for (; t->ring_count < TRACE_RINGS_MAX; t->from[t->ring_count++] = is.tail) {
        error = fetch_part(t, t->ring_count, UINT64_MAX, &is, &answer);
        if (error == CONTROL_NO_VM)
            break;
        if (error != CONTROL_OK)
            return control_line_gone(line);
    }
    return switch_all(t, CONTROL_TRACE_ON);
}

enum exit_code tracing_end(struct tracing *t)
{
    return switch_all(t, 0);
}

/* The records of an answer, behind the *count that are there already. False: they are damaged. */
static bool unpack(const struct control_answer *answer, const struct control_records *is,
                   struct trace_record *records, size_t *count)
{
    struct trace_pack frame = {.count = 0};
    size_t at = sizeof(*is), used;

    for (uint64_t position = is->at; position < is->next; position += RECORD, at += used) {
        used = *count < TRACE_SIZE / RECORD && at <= answer->size
                   ? trace_unpack(&frame, answer->data + at, answer->size - at, &records[*count])
                   : 0;
        if (used == 0)
            return false;
        ++*count;
    }
    return true;
}

/* What follows is not before what was asked for, and something does, unless that is the end. */
static bool makes_sense(const struct control_records *is, uint64_t at)
{
    return is->at >= at && is->next >= is->at && (is->next > at || is->tail <= at) &&
           is->cpu < TRACE_RINGS_MAX;
}

/* From a position up to another one; UINT64_MAX: up to where the ring ends when it is asked
 * first. */
static enum exit_code fetch_ring(struct tracing *t, unsigned ring, uint64_t at, uint64_t end,
                                 struct trace_record *records, size_t *count, uint32_t *cpu)
{
    struct control_answer answer;
    struct control_records is;
    uint64_t told = at;

    while (at < end) {
        if (unfinished_ends())
            return LINTEL_UNFINISHED;
        if (fetch_part(t, ring, at, &is, &answer) != CONTROL_OK)
            return control_line_gone(t->line);
        if (!makes_sense(&is, at) || !unpack(&answer, &is, records, count))
            return fail(LINTEL_MACHINE, "%s: what it says of the trace is damaged", t->line->path);
        t->lost += (is.at - at) / RECORD;
        end = end == UINT64_MAX ? is.tail : end;
        *cpu = (uint32_t)is.cpu;
        at = is.next;
        if (at - told >= PROGRESS_STEP) {
            told = at;
            progress("%" PRIu64 " records are left", (end - at) / RECORD);
        }
    }
    return LINTEL_OK;
}

enum exit_code tracing_fetch(struct tracing *t, struct trace_events *events)
{
    struct trace_record *records = malloc(TRACE_SIZE);
    enum exit_code code = records ? LINTEL_OK : fail(LINTEL_MACHINE, "out of memory");

    for (unsigned ring = 0; ring < t->ring_count && code == LINTEL_OK; ring++) {
        size_t count = 0;
        uint32_t cpu = 0;
        code = fetch_ring(t, ring, t->from[ring], UINT64_MAX, records, &count, &cpu);
        trace_events_add(events, cpu, records, count);
    }
    progress_end();
    free(records);
    trace_events_sort(events);
    return code;
}

/* When the last of these records of a VM that is traced was made; 0: there is none. */
static uint64_t last_of(const struct tracing *t, const struct trace_record *records, size_t count)
{
    while (count-- > 0)
        if (TRACE_VM(records[count].what) < PLAN_MAX_VMS &&
            t->vms & BIT(TRACE_VM(records[count].what)))
            return records[count].tsc;
    return 0;
}

/*
 * From the ring's end backwards, piece by piece: those that a VM that is traced has in it, from
 * `ticks` before its last one on. They are put at the end of the buffer; *first is the first.
 */
static enum exit_code fetch_last(struct tracing *t, unsigned ring, uint64_t ticks,
                                 struct trace_record *records, size_t *first, uint32_t *cpu)
{
    static struct trace_record piece[PIECE / RECORD];
    struct control_answer answer;
    struct control_records is;
    uint64_t last = 0;
    enum exit_code code = LINTEL_OK;
    bool more = true;

    if (fetch_part(t, ring, UINT64_MAX, &is, &answer) != CONTROL_OK)
        return control_line_gone(t->line);
    uint64_t end = is.tail, oldest = max_u64(t->from[ring], end - min_u64(end, TRACE_SIZE - PIECE));
    while (code == LINTEL_OK && more && end > oldest) {
        uint64_t at = max_u64(oldest, end - min_u64(end, PIECE));
        size_t count = 0;
        code = fetch_ring(t, ring, at, end, piece, &count, cpu);
        if (code != LINTEL_OK || count > *first)
            break;
        *first -= count;
        memcpy(records + *first, piece, count * RECORD);
        last = last ? last : last_of(t, piece, count);
        more = count == (end - at) / RECORD && (last == 0 || piece[0].tsc + ticks >= last);
        end = at;
    }
    return code;
}

enum exit_code tracing_fetch_last(struct tracing *t, uint64_t ticks, struct trace_events *events)
{
    struct trace_record *records = malloc(TRACE_SIZE);
    enum exit_code code = records ? LINTEL_OK : fail(LINTEL_MACHINE, "out of memory");
    uint64_t last = 0;

    for (unsigned ring = 0; ring < t->ring_count && code == LINTEL_OK; ring++) {
        size_t first = TRACE_SIZE / RECORD;
        uint32_t cpu = 0;
        code = fetch_last(t, ring, ticks, records, &first, &cpu);
        last = max_u64(last, last_of(t, records + first, TRACE_SIZE / RECORD - first));
        trace_events_add(events, cpu, records + first, TRACE_SIZE / RECORD - first);
    }
    progress_end();
    free(records);
    trace_events_sort(events);
    trace_events_between(events, last - min_u64(last, ticks), last);
    return code;
}
