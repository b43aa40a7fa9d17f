/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel core: a VM's memory and registers in a file that gdb opens. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/bits.h"
#include "tool/command.h"
#include "tool/control_line.h"
#include "tool/core_file.h"
#include "tool/unfinished.h"

#define PROGRESS_STEP 0x100000ULL /* of memory, between words of how far it is */

struct core_request {
    struct control_line line;
    unsigned vm;
    const char *path;
    int file;
};

/* All that is not zero from `gpa` on, up to `end`; `shift` is how much lower it lies in the file.
 * A signal ends it. */
static enum exit_code copy(struct core_request *r, uint64_t gpa, uint64_t end, uint64_t shift)
{
    struct control_answer answer;
    uint64_t told = gpa;

    while (gpa < end) {
        uint64_t asked = gpa;
        if (unfinished_ends())
            return LINTEL_UNFINISHED;
        if (control_line_ask(&r->line, CONTROL_CALL_SEARCH, r->vm, asked, &answer) != CONTROL_OK)
            return control_line_gone(&r->line);
        memcpy(&gpa, answer.data, sizeof(gpa));
        if (gpa < asked)
            return fail(LINTEL_MACHINE, "%s: what it says of the VM's memory is damaged",
                        r->line.path);
        if (gpa >= end)
            break;
        if (control_line_ask(&r->line, CONTROL_CALL_MEMORY, r->vm, gpa, &answer) != CONTROL_OK)
            return control_line_gone(&r->line);
        if (answer.size > CONTROL_DATA ||
            pwrite(r->file, answer.data, answer.size, (off_t)(CORE_MEMORY_AT + gpa - shift)) !=
                answer.size)
            return fail(LINTEL_MACHINE, "%s: %s", r->path, strerror(errno));
        gpa += CONTROL_DATA;
        if (gpa - told >= PROGRESS_STEP)
            progress("%" PRIu64 " of %" PRIu64 " MiB", (gpa - shift) >> 20, (end - shift) >> 20);
        told = gpa - told >= PROGRESS_STEP ? gpa : told;
    }
    return LINTEL_OK;
}

/* Those of each vCPU that has been started. */
static enum exit_code fetch_registers(struct core_request *r, const struct control_vm *is,
                                      struct core_vcpu vcpus[PLAN_MAX_VCPUS], unsigned *count)
{
    struct control_answer answer;

    *count = 0;
    for (unsigned i = 0; i < is->vcpus && i < PLAN_MAX_VCPUS; i++) {
        enum control_error error =
            control_line_ask(&r->line, CONTROL_CALL_REGISTERS, r->vm, CONTROL_VCPU(i), &answer);
        if (error == CONTROL_STATE)
            continue;
        if (error != CONTROL_OK)
            return control_line_gone(&r->line);
        vcpus[*count].number = i;
        memcpy(&vcpus[*count].state, answer.data, sizeof(vcpus[*count].state));
        ++*count;
    }
    if (*count == 0)
        return fail(LINTEL_MACHINE, "vm %s has no registers yet; try again when it has started",
                    is->name);
    return LINTEL_OK;
}

/* The registers, then memory, of a VM that stands still. */
static enum exit_code fetch(struct core_request *r, const struct control_vm *is)
{
    uint64_t low = is->memory < PLAN_HOLE_START ? is->memory : PLAN_HOLE_START;
    struct core_vcpu vcpus[PLAN_MAX_VCPUS];
    unsigned count;
    enum exit_code code = fetch_registers(r, is, vcpus, &count);

    if (code == LINTEL_OK)
        code = copy(r, 0, low, 0);
    if (code == LINTEL_OK)
        code = copy(r, PLAN_HOLE_END, PLAN_HOLE_END + (is->memory - low),
                    PLAN_HOLE_END - PLAN_HOLE_START);
    progress_end();
    return code == LINTEL_OK ? core_complete(r->file, r->path, is->memory, vcpus, count) : code;
}

/* One that runs is paused meanwhile. That it cannot be means that it has been, and the answer was
 * lost. */
static enum exit_code fetch_still(struct core_request *r, const struct control_vm *is)
{
    struct control_answer answer;
    bool runs = is->state == CONTROL_VM_RUNS;

    if (runs && control_line_ask(&r->line, CONTROL_CALL_PAUSE, r->vm, 0, &answer) == CONTROL_SILENT)
        return control_line_gone(&r->line);
    enum exit_code code = fetch(r, is);
    if (runs)
        control_line_ask(&r->line, CONTROL_CALL_RESUME, r->vm, 0, &answer);
    return code;
}

static enum exit_code dump(struct core_request *r, const struct control_vm *is)
{
    struct stat info;

    if (stat(r->path, &info) == 0 && !S_ISREG(info.st_mode))
        return fail(LINTEL_MACHINE, "%s: this is no file for a core; name another", r->path);
    r->file = open(r->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (r->file < 0)
        return fail(LINTEL_MACHINE, "%s: %s; name a file that can be written", r->path,
                    strerror(errno));
    unfinished_begin(r->path); /* a signal waits until the VM goes on */
    enum exit_code code = fetch_still(r, is);
    close(r->file);
    if (code != LINTEL_OK)
        unlink(r->path);
    unfinished_end();
    return code;
}

int command_core(const struct command *self, int argc, char *argv[])
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'}, {0}};
    struct core_request request = {0};
    struct control_hello hello;
    struct control_vm is;
    int option;

    while ((option = command_option(self, argc, argv, "o:", options)) >= 0) {
        if (option != 'o')
            return LINTEL_USAGE;
        request.path = optarg;
    }
    if (optind != argc - 2)
        return command_misused(self, "give a run's socket and the name of a VM");
    if (!request.path)
        return command_misused(self, "give the core's name with -o");
    int code = control_line_open(&request.line, argv[optind], &hello);
    if (code != LINTEL_OK)
        return code;
    code = control_line_find(&request.line, &hello, argv[optind + 1], &request.vm, &is);
    if (code == LINTEL_OK)
        code = dump(&request, &is);
    control_line_close(&request.line);
    return code;
}
