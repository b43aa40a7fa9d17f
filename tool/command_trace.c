/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel trace: what exits, who answers, and who has the CPUs, for some seconds. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/bits.h"
#include "lib/exit_reasons.h"
#include "tool/command.h"
#include "tool/output_file.h"
#include "tool/trace_fetch.h"
#include "tool/trace_print.h"
#include "tool/unfinished.h"
#include "tool/usage.h"

#define SECONDS_MAX 3600

typedef void print_function(FILE *to, const struct trace_names *names,
                            const struct trace_events *events);

struct wish {
    unsigned long long seconds;
    bool last; /* those before a VM ends */
    const char *path;
    print_function *print;
    bool reasons[EXIT_REASON_COUNT], some_reasons; /* only these */
};

static bool add_reason(const struct command *self, struct wish *wish, const char *word)
{
    for (unsigned i = 0; i < EXIT_REASON_COUNT; i++)
        if (strcasecmp(exit_reason_name(i), word) == 0)
            return wish->reasons[i] = wish->some_reasons = true;
    command_misused(self, "--reason: no exit is called '%s'; lintel ps --json names some", word);
    return false;
}

static bool read_words(const struct command *self, int argc, char *argv[], struct wish *wish)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"last", required_argument, NULL, 'l'},
                                            {"reason", required_argument, NULL, 'r'},
                                            {"csv", no_argument, NULL, 'c'},
                                            {"perfetto", no_argument, NULL, 'p'},
                                            {0}};
    int option;

    while ((option = command_option(self, argc, argv, "o:", options)) >= 0)
        if (option == 'o')
            wish->path = optarg;
        else if (option == 'c')
            wish->print = trace_print_csv;
        else if (option == 'p')
            wish->print = trace_print_perfetto;
        else if (option == 'r' && !add_reason(self, wish, optarg))
            return false;
        else if ((option == 's' || option == 'l') &&
                 !command_number(self, option == 's' ? "--seconds" : "--last", optarg, 1,
                                 SECONDS_MAX, &wish->seconds))
            return false;
        else if (option == '?')
            return false;
        else
            wish->last |= option == 'l';
    if (optind < argc)
        return true;
    command_misused(self, "give a run's socket");
    return false;
}

/* The VMs of these names, a bit for each; without names all. */
static enum exit_code choose(struct control_line *line, const struct control_hello *hello,
                             char *names[], uint32_t *vms)
{
    struct control_vm is;
    unsigned vm;

    *vms = names[0] ? 0 : hello->vms;
    for (; *names; names++) {
        enum exit_code code = control_line_find(line, hello, *names, &vm, &is);
        if (code != LINTEL_OK)
            return code;
        *vms |= (uint32_t)BIT(vm);
    }
    return LINTEL_OK;
}

/* A signal ends the time early: true. */
static bool wait_seconds(unsigned long long seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds};
    sigset_t signals;

    unfinished_signals(&signals);
    return sigtimedwait(&signals, NULL, &time) > 0;
}

/* Until one of the VMs does not run any more, or a signal comes. */
static enum exit_code await_end(struct control_line *line, uint32_t vms)
{
    struct control_vm is = {.state = CONTROL_VM_RUNS};
    enum exit_code code = LINTEL_OK;

    progress("tracing until a VM ends");
    while (code == LINTEL_OK && is.state == CONTROL_VM_RUNS && !wait_seconds(1))
        for (unsigned vm = 0; vm < PLAN_MAX_VMS && is.state == CONTROL_VM_RUNS; vm++)
            if (vms & BIT(vm) && code == LINTEL_OK)
                code = control_line_look(line, vm, &is);
    return code;
}

static enum exit_code trace(struct control_line *line, uint32_t vms, const struct wish *wish,
                            uint64_t khz, struct trace_events *events)
{
    struct tracing tracing;
    enum exit_code code = tracing_begin(&tracing, line, vms);

    if (code == LINTEL_OK && wish->last) {
        code = await_end(line, vms);
    } else if (code == LINTEL_OK) {
        progress("tracing for %llu s", wish->seconds);
        wait_seconds(wish->seconds);
    }
    enum exit_code ended = tracing_end(&tracing);
    if (code == LINTEL_OK)
        code = ended;
    if (code == LINTEL_OK)
        code = wish->last ? tracing_fetch_last(&tracing, wish->seconds * 1000 * khz, events)
                          : tracing_fetch(&tracing, events);
    if (code == LINTEL_OK && !wish->last && tracing.lost > 0)
        note("%" PRIu64 " records were lost: there were more than the rings hold", tracing.lost);
    return code;
}

static void choose_reasons(const struct wish *wish, struct trace_events *events)
{
    size_t count = 0;

    for (size_t i = 0; i < events->count && wish->some_reasons; i++) {
        const struct trace_event *e = &events->event[i];
        uint32_t reason = TRACE_REASON(e->what);
        if (e->kind == TRACE_EVENT_EXIT && reason < EXIT_REASON_COUNT && wish->reasons[reason])
            events->event[count++] = *e;
    }
    if (wish->some_reasons)
        events->count = count;
}

static enum exit_code print(struct control_line *line, const struct control_hello *hello,
                            const struct wish *wish, const struct trace_events *events, FILE *to)
{
    struct trace_names names = {.tsc_khz = hello->tsc_khz};
    static struct usage usage;
    enum exit_code code = usage_fetch(line, hello, &usage);
    unsigned vm = 0;

    if (code != LINTEL_OK)
        return code;
    for (unsigned i = 0; i < PLAN_MAX_VMS; i++)
        names.vms[i] = "?";
    for (unsigned i = 0; i < PLAN_MAX_PROCESSES; i++)
        names.processes[i] = "?";
    for (unsigned i = 0; i < usage.vm_count; i++, vm++) {
        while (!(hello->vms & BIT(vm)))
            vm++;
        names.vms[vm] = usage.vms[i].name;
    }
    for (unsigned i = 0; i < usage.process_count; i++)
        names.processes[i] = usage.processes[i].name;
    wish->print(to, &names, events);
    return LINTEL_OK;
}

static int run(struct control_line *line, const struct control_hello *hello, char *names[],
               const struct wish *wish)
{
    struct trace_events events = {0};
    uint32_t vms;
    FILE *file;
    int code = choose(line, hello, names, &vms);

    if (code == LINTEL_OK)
        code = output_open(wish->path, &file);
    if (code != LINTEL_OK)
        return code;
    unfinished_begin(wish->path);
    code = trace(line, vms, wish, hello->tsc_khz, &events);
    if (code == LINTEL_OK) {
        choose_reasons(wish, &events);
        code = print(line, hello, wish, &events, file ? file : stdout);
    }
    trace_events_free(&events);
    code = output_close(file, wish->path, code);
    unfinished_end();
    return code;
}

int command_trace(const struct command *self, int argc, char *argv[])
{
    struct wish wish = {.seconds = 1, .print = trace_print_text};
    struct control_hello hello;
    struct control_line line;

    if (!read_words(self, argc, argv, &wish))
        return LINTEL_USAGE;
    int code = control_line_open(&line, argv[optind], &hello);
    if (code == LINTEL_OK) {
        code = run(&line, &hello, argv + optind + 1, &wish);
        control_line_close(&line);
    }
    return code;
}
