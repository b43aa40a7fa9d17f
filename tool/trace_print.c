/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/trace_print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "abi/exit.h"
#include "abi/vmcs.h"
#include "lib/bits.h"
#include "lib/exit_reasons.h"

#define IO_SIZE(qualification) (((qualification) & 7) + 1)
#define IO_IN                  0x8u
#define IO_PORT(qualification) ((qualification) >> 16)

/* What a monitor is asked for. */
static const char *const kinds[] = {
    [EXIT_EVENTS] = "events",           [EXIT_IO] = "port",
    [EXIT_IO_STRING] = "port, string",  [EXIT_MMIO] = "device memory",
    [EXIT_TASK_SWITCH] = "task switch", [EXIT_EOI] = "end of interrupt",
    [EXIT_SHUTDOWN] = "shutdown",       [EXIT_IO_WATCHED] = "port, watched",
};

static const struct {
    uint64_t event;
    const char *word;
} events_words[] = {
    {EVENT_TIMER, "timer"},   {EVENT_APIC, "APIC"},
    {EVENT_INIT, "INIT"},     {EVENT_HALT, "halt"},
    {EVENT_KICK, "kick"},     {EVENT_CLOCK | EVENT_WALL_CLOCK, "clock"},
    {EVENT_RESET, "reset"},   {EVENT_POWER_BUTTON, "power button"},
    {~0ULL << 32, "channel"},
};

static char words[200];

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
    size_t used = strlen(words);
    va_list args;

    if (used > 0)
        used += (size_t)snprintf(words + used, sizeof(words) - used, "; ");
    va_start(args, format);
    if (used < sizeof(words))
        vsnprintf(words + used, sizeof(words) - used, format, args);
    va_end(args);
}

static void say_exit(const struct trace_event *e)
{
    switch (TRACE_REASON(e->what)) {
    case EXIT_REASON_IO:
        say("%s %x, %u", e->detail & IO_IN ? "in" : "out", IO_PORT(e->detail), IO_SIZE(e->detail));
        break;
    case EXIT_REASON_RDMSR:
    case EXIT_REASON_WRMSR:
        say("MSR %x", e->detail);
        break;
    case EXIT_REASON_EPT_VIOLATION:
        say("at %x", e->detail);
        break;
    case EXIT_REASON_EXCEPTION_NMI:
    case EXIT_REASON_EXTERNAL_INTERRUPT:
        say("vector %u", EVENT_VECTOR(e->detail));
        break;
    default:
        if (e->detail != 0)
            say("qualification %x", e->detail);
    }
}

const char *trace_detail(const struct trace_event *e)
{
    words[0] = '\0';
    if (e->kind == TRACE_EVENT_EXIT)
        say_exit(e);
    if (e->monitor != 0)
        say("for %s", e->monitor_kind < ARRAY_SIZE(kinds) ? kinds[e->monitor_kind] : "?");
    for (unsigned i = 0; i < ARRAY_SIZE(events_words) && e->monitor != 0; i++)
        if (e->monitor_events & events_words[i].event)
            say("%s", events_words[i].word);
    if (e->injected & EVENT_VALID)
        say("injects %u", EVENT_VECTOR(e->injected));
    if (e->msr_accesses > 0)
        say("%" PRIu64 " MSRs", e->msr_accesses);
    return words;
}

const char *trace_what(const struct trace_event *e)
{
    switch (e->kind) {
    case TRACE_EVENT_EXIT:
        return exit_reason_name(TRACE_REASON(e->what));
    case TRACE_EVENT_MONITOR:
        return "monitor";
    default:
        return "turn";
    }
}

const char *trace_who(const struct trace_names *names, const struct trace_event *e)
{
    static char who[PLAN_NAME_SIZE + 8];
    uint32_t vm = TRACE_VM(e->what), number = TRACE_NUMBER(e->what);

    if (vm == TRACE_PROCESS)
        return names->processes[number];
    snprintf(who, sizeof(who), "%s/%u", names->vms[vm], number);
    return who;
}

static const char *answerer(const struct trace_event *e)
{
    return e->kind == TRACE_EVENT_TURN ? ""
           : e->ring0                  ? "ring 0"
           : e->monitor != 0           ? "monitor"
                                       : "-";
}

static void print_us(FILE *to, const struct trace_names *names, uint64_t ticks)
{
    fprintf(to, "%12.3f", (double)ticks * 1000 / (double)names->tsc_khz);
}

void trace_print_text(FILE *to, const struct trace_names *names, const struct trace_events *events)
{
    fprintf(to, "%12s  CPU  %-20s %-24s %12s  %-8s %-16s  %s\n", "MICROSECONDS", "WHO", "WHAT",
            "TOOK", "ANSWERED", "RIP", "DETAIL");
    for (size_t i = 0; i < events->count; i++) {
        const struct trace_event *e = &events->event[i];
        print_us(to, names, e->start - events->event[0].start);
        fprintf(to, "  %3u  %-20s %-24s ", e->cpu, trace_who(names, e), trace_what(e));
        if (e->end != 0)
            print_us(to, names, e->end - e->start);
        else
            fprintf(to, "%12s", "-");
        fprintf(to, "  %-8s ", answerer(e));
        if (e->kind == TRACE_EVENT_EXIT)
            fprintf(to, "%016" PRIx64 "  %s\n", e->rip, trace_detail(e));
        else
            fprintf(to, "%16s  %s\n", "", trace_detail(e));
    }
}

void trace_print_csv(FILE *to, const struct trace_names *names, const struct trace_events *events)
{
    fputs("start,ticks,cpu,who,what,answered,rip,detail,monitor_after,injected,msr_accesses\n", to);
    for (size_t i = 0; i < events->count; i++) {
        const struct trace_event *e = &events->event[i];
        fprintf(to, "%" PRIu64 ",", e->start);
        if (e->end != 0)
            fprintf(to, "%" PRIu64, e->end - e->start);
        fprintf(to, ",%u,%s,%s,%s,", e->cpu, trace_who(names, e), trace_what(e), answerer(e));
        if (e->kind == TRACE_EVENT_EXIT)
            fprintf(to, "%" PRIx64 ",%x,", e->rip, e->detail);
        else
            fputs(",,", to);
        if (e->monitor != 0)
            fprintf(to, "%" PRIu64, e->monitor - e->start);
        fprintf(to, ",%x,%" PRIu64 "\n", e->injected, e->msr_accesses);
    }
}
