/* SPDX-License-Identifier: BSD-2-Clause */
/* What is asked of a machine by its control line: lintel ps, log, pause, resume, reset, poweroff,
 * stop and start. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "abi/log.h"
#include "lib/bits.h"
#include "lib/exit_reasons.h"
#include "tool/command.h"
#include "tool/control_line.h"
#include "tool/on_vm.h"
#include "tool/output_file.h"
#include "tool/usage.h"

#define FOLLOW_MS 200 /* between looks at the log */

static void print_vm(const struct control_vm *vm)
{
    printf("%-20s %-8s %8" PRIu64 " MiB %12" PRIu64 "\n", vm->name, usage_state(vm),
           vm->memory >> 20, usage_exits(vm));
}

/* Into the open file `json`, with what drivers and services have used; with NULL a table. */
static enum exit_code list(struct control_line *line, const struct control_hello *hello, FILE *json)
{
    struct usage usage;
    enum exit_code code = usage_fetch_vms(line, hello, &usage);

    if (code == LINTEL_OK && json)
        code = usage_fetch_processes(line, &usage);
    if (code != LINTEL_OK)
        return code;
    if (json) {
        usage_json(json, &usage);
        return LINTEL_OK;
    }
    printf("%-20s %-8s %12s %12s\n", "NAME", "STATE", "MEMORY", "EXITS");
    for (unsigned i = 0; i < usage.vm_count; i++)
        print_vm(&usage.vms[i]);
    return LINTEL_OK;
}

int command_ps(const struct command *self, int argc, char *argv[])
{
    struct control_hello hello;
    struct control_line line;
    const char *output;
    FILE *json;
    int code = command_with_json(self, argc, argv, "give a run's socket", &output);

    if (code == LINTEL_OK)
        code = output_open(output, &json);
    if (code != LINTEL_OK)
        return code;
    code = control_line_open(&line, argv[optind], &hello);
    if (code == LINTEL_OK) {
        code = list(&line, &hello, json);
        control_line_close(&line);
    }
    return output_close(json, output, code);
}

struct act {
    enum control_call call;
    enum control_vm_state leads_to;
    const char *done; /* the word */
};

static enum exit_code act(struct control_line *line, const struct control_hello *hello,
                          const char *name, const void *what)
{
    const struct act *act = what;
    struct control_answer answer;
    struct control_vm is = {0};
    unsigned vm;
    enum exit_code code = control_line_find(line, hello, name, &vm, &is);

    if (code != LINTEL_OK)
        return code;
    uint32_t before = is.state;
    enum control_error error = control_line_ask(line, act->call, vm, 0, &answer);
    if (error == CONTROL_OK)
        return LINTEL_OK;
    if (error != CONTROL_STATE)
        return control_line_gone(line);
    code = control_line_look(line, vm, &is);
    if (code != LINTEL_OK)
        return code;
    if (before != act->leads_to && is.state == act->leads_to)
        return LINTEL_OK; /* it was asked again because the answer was lost */
    return fail(LINTEL_USAGE, "vm %s is %s: it cannot be %s", name, usage_state(&is), act->done);
}

#define ACT(name, CALL, LEADS_TO, done)                                                            \
    int command_##name(const struct command *self, int argc, char *argv[])                         \
    {                                                                                              \
        static const struct act what = {CONTROL_CALL_##CALL, CONTROL_VM_##LEADS_TO, done};         \
                                                                                                   \
        return on_vm(self, argc, argv, act, &what);                                                \
    }
ACT(pause, PAUSE, PAUSED, "paused")
ACT(resume, RESUME, RUNS, "resumed")
ACT(reset, RESET, RUNS, "reset")
ACT(poweroff, POWER_OFF, ENDED, "switched off")
ACT(stop, STOP, STOPPED, "stopped")
ACT(start, START, RUNS, "started")
#undef ACT

#define ALL (-1)

/* Those about this VM, or ALL. */
static void print_records(uint8_t *bytes, size_t size, int vm)
{
    struct log_record is;

    for (size_t at = 0; at + sizeof(is) <= size;
         at += align_up(sizeof(is) + is.length, LOG_ALIGN)) {
        memcpy(&is, bytes + at, sizeof(is));
        if (is.length > size - at - sizeof(is))
            break;
        char *text = (char *)bytes + at + sizeof(is);
        control_line_plain(text, is.length);
        if (vm == ALL || is.vm == vm)
            printf("lintel: %.*s\n", (int)is.length, text);
    }
    fflush(stdout);
}

/* All that there is; with `follow` until the machine is gone or nobody reads it any more. */
static enum exit_code print_log(struct control_line *line, int vm, bool follow)
{
    static const struct timespec pause = {.tv_nsec = FOLLOW_MS * 1000000L};
    struct control_answer answer;
    struct control_log log = {0};

    for (;;) {
        uint64_t asked = log.next;
        if (control_line_ask(line, CONTROL_CALL_LOG, 0, asked, &answer) != CONTROL_OK)
            return follow ? LINTEL_OK : control_line_gone(line);
        memcpy(&log, answer.data, sizeof(log));
        if (answer.size > sizeof(log) && answer.size <= CONTROL_DATA)
            print_records(answer.data + sizeof(log), answer.size - sizeof(log), vm);
        if (ferror(stdout))
            return LINTEL_OK; /* main says so */
        if (log.next != asked)
            continue;
        if (!follow)
            return LINTEL_OK;
        nanosleep(&pause, NULL);
    }
}

int command_log(const struct command *self, int argc, char *argv[])
{
    static const struct option options[] = {{"follow", no_argument, NULL, 'f'}, {0}};
    struct control_hello hello;
    struct control_line line;
    struct control_vm is;
    unsigned vm;
    bool follow = false;
    int option;

    while ((option = command_option(self, argc, argv, "f", options)) >= 0) {
        if (option != 'f')
            return LINTEL_USAGE;
        follow = true;
    }
    if (optind != argc - 1 && optind != argc - 2)
        return command_misused(self, "give a run's socket, and at most one VM");
    bool all = optind == argc - 1;
    int code = control_line_open(&line, argv[optind], &hello);
    if (code != LINTEL_OK)
        return code;
    if (!all)
        code = control_line_find(&line, &hello, argv[optind + 1], &vm, &is);
    if (code == LINTEL_OK)
        code = print_log(&line, all ? ALL : (int)vm, follow);
    control_line_close(&line);
    return code;
}
