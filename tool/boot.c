/* SPDX-License-Identifier: BSD-2-Clause */
/* Booting a machine in an emulator: see boot.h. */
#include "tool/boot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool/console_log.h"
#include "tool/console_process.h"
#include "tool/control_process.h"
#include "tool/disc.h"
#include "tool/disk_file.h"
#include "tool/emulated_nic.h"
#include "tool/image.h"
#include "tool/output_file.h"
#include "tool/paths.h"
#include "tool/process.h"
#include "tool/results.h"
#include "tool/session.h"
#include "tool/symbol.h"
#include "tool/terminal.h"

/* A run, from the description to its last word. */
struct run {
    const struct boot_request *request;
    struct machine *machine;
    bool lines; /* each VM's lines have its name in front */
    struct outcome outcome;
    char *message; /* what was bad about it; NULL: nothing */
};

/* The code, after a message that also goes to the results. */
__attribute__((format(printf, 3, 4))) static int bad(struct run *run, int code, const char *format,
                                                     ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&run->message, format, arguments) < 0)
        run->message = NULL;
    va_end(arguments);
    note("%s", run->message ? run->message : "out of memory");
    return code;
}

/* All VMs have ended: the code is the first one's whose status is no success. */
static int judge_vms(struct run *run)
{
    const struct outcome *outcome = &run->outcome;

    if (outcome->faults) {
        return bad(run, LINTEL_FAULT, "%u of %u VMs stopped for a fault", outcome->faults,
                   outcome->vm_count);
    }
    for (unsigned i = 0; i < run->machine->plan.vm_count; i++) {
        const struct outcome_vm *vm = &outcome->vms[i];
        if (vm->end == VM_EXITED && vm->status != run->machine->success[i]) {
            return bad(run, (int)vm->status, "vm %s ended with exit status %u", vm->name,
                       vm->status);
        }
    }
    return LINTEL_OK;
}

static int judge_outcome(struct run *run, int emulator_code)
{
    const struct emulation *emulation = &run->request->emulation;
    int code;

    switch (run->outcome.kind) {
    case OUTCOME_END:
        return judge_vms(run);
    case OUTCOME_VERDICT:
        return run->outcome.can_run ? LINTEL_OK : LINTEL_FAULT;
    case OUTCOME_STOPPED:
        return bad(run, LINTEL_FAULT, "the hypervisor stopped: %s", run->outcome.reason);
    case OUTCOME_PANIC:
        code = bad(run, LINTEL_FAULT, "the hypervisor panicked: %s", run->outcome.reason);
        break;
    default:
        code = bad(run, LINTEL_UNFINISHED, "%s ended (code %d) before the hypervisor did; it said:",
                   runner_name(emulation->runner), emulator_code);
    }
    emulator_explain(emulation);
    return code;
}

/* What the run came to, said in words when it is bad. */
static int judge(struct run *run, enum session_end end, int emulator_code, int signal_number)
{
    switch (end) {
    case SESSION_QUIT:
        return outcome_has_fault(&run->outcome)
                   ? bad(run, LINTEL_FAULT, "a VM was stopped for a fault")
                   : LINTEL_OK;
    case SESSION_SIGNAL:
        return 128 + signal_number;
    case SESSION_TIMEOUT:
        return bad(run, LINTEL_UNFINISHED, "the run was ended after %u s (--timeout)",
                   run->request->timeout);
    case SESSION_UNREAD:
        return LINTEL_MACHINE;
    case SESSION_CLOSED:
    case SESSION_HALTED:
        break;
    }
    return judge_outcome(run, emulator_code);
}

/* The names of the places that a VM reported, where the kernel is a file that has them. */
static void name_places_in(const struct outcome_vm *vm, const char *kernel)
{
    for (unsigned i = 0; i < vm->vcpus; i++) {
        char *symbol = vm->located >> i & 1 ? symbol_at(kernel, vm->rip[i]) : NULL;
        if (symbol)
            note("vm %s: rip %016" PRIx64 " is %s in %s", vm->name, vm->rip[i], symbol, kernel);
        free(symbol);
    }
}

static void name_places(const struct run *run)
{
    for (unsigned i = 0; i < run->machine->plan.vm_count; i++) {
        const struct outcome_vm *vm = &run->outcome.vms[i];
        if (vm->end == VM_FAULT || vm->end == VM_RUNNING)
            name_places_in(vm, run->machine->files[run->machine->plan.vms[i].kernel]);
    }
}

/* A panic prints bare addresses. */
static void name_panic(const struct outcome *outcome)
{
    char *hypervisor = outcome->place_count ? built_path(BUILT_HYPERVISOR) : NULL;

    for (unsigned i = 0; hypervisor && i < outcome->place_count; i++) {
        char *symbol = symbol_at(hypervisor, outcome->places[i]);
        if (symbol)
            note("%016" PRIx64 " is %s in the hypervisor", outcome->places[i], symbol);
        free(symbol);
    }
    free(hypervisor);
}

/* Whether lines come from a file or another program. They are for prompts, which have no end of
 * line, and so for one VM at a time. */
static bool input_is_script(void)
{
    struct stat info;

    return fstat(STDIN_FILENO, &info) == 0 && !S_ISCHR(info.st_mode);
}

/* Whether the lines of all VMs are shown, each with its VM's name: where no person switches between
 * consoles, unless the user says otherwise. */
static bool lines_shown(const struct boot_request *request, const struct machine *machine)
{
    bool lines = machine->plan.vm_count > 1 && !terminal_is_ours() && !input_is_script();

    enum console_words words = console_words_read(request->options);

    return words == CONSOLE_WORDS_NONE ? lines : words == CONSOLE_WORDS_LINES;
}

/* relay: NULL, or what gets the control line. */
static int boot(struct run *run, struct relay *relay)
{
    const struct emulation *emulation = &run->request->emulation;
    const struct boot_request *request = run->request;
    struct console_log log;
    struct cores cores = {
        .machine = run->machine,
        .outcome = &run->outcome,
        .relay = relay,
        .folder = request->log    ? request->log
                  : request->keep ? request->keep
                                  : ".",
        .work_folder = request->emulation.work_folder,
    };
    struct session_request session = {
        .seconds = request->timeout,
        .outcome = &run->outcome,
        .log = &log,
        .relay = relay,
        .cores = cores_wanted(run->machine) ? &cores : NULL,
    };
    int signal_number = 0, lines[LINE_COUNT];
    pid_t child;

    enum exit_code code =
        console_log_open(&log, &run->machine->plan, run->lines, request->keep, request->log);
    if (code != LINTEL_OK)
        return code;
    progress("starting %s", runner_name(emulation->runner));
    code = emulator_start(emulation, &child, lines);
    if (code != LINTEL_OK) {
        console_log_close(&log);
        return code;
    }
    session.serial = lines[LINE_CONSOLE];
    if (relay)
        relay_start(relay, lines[LINE_CONTROL]);
    enum session_end end = session_run(&session, &signal_number);
    close(session.serial);
    int emulator_code = emulator_end(child, end != SESSION_CLOSED);
    name_places(run);
    name_panic(&run->outcome);
    int result = judge(run, end, emulator_code, signal_number);
    code = console_log_close(&log);
    return result == LINTEL_OK ? (int)code : result;
}

/* What the VMs do without, or NULL. Bochs delivers a virtual interrupt in spite of IF=0 when one of
 * the host's arrives, as a typed key does, and a guest may crash of it (docs/emulator.md). */
static char *controls_to_hide(const struct boot_request *request, const struct machine *machine)
{
    const char *list = machine->hide ? machine->hide : "";

    if (request->emulation.runner != RUNNER_BOCHS)
        return NULL;
    return text(" hide=%s%svirtual-interrupt-delivery", list, *list ? "," : "");
}

/* With a socket for the control line, where the machine has one. */
static int boot_controlled(struct run *run)
{
    struct relay relay;

    if (!control_process_is_in(&run->machine->plan))
        return boot(run, NULL);
    char *own = text("%s/control", run->request->emulation.work_folder);
    int code = relay_open(&relay, run->request->control ? run->request->control : own);
    if (code == LINTEL_OK) {
        code = boot(run, &relay);
        relay_close(&relay);
    }
    free(own);
    return code;
}

/*
 * The words for the hypervisor's command line, those of the user last: the last one of a name wins.
 * An emulator's memory is new in each run. Clearing it would hide nobody's secrets, and takes an
 * emulated CPU a step for each 8 bytes.
 */
static char *hypervisor_options(const struct run *run)
{
    const struct boot_request *request = run->request;
    char *hide = controls_to_hide(request, run->machine);
    char *words = text("clear-memory=no%s%s%s", hide ? hide : "", request->options ? " " : "",
                       request->options ? request->options : "");

    free(hide);
    return words;
}

/* Builds the image in `folder` and boots it. */
static int boot_in(struct run *run, struct boot_request *request, const char *folder)
{
    char *image = text("%s/" EMULATOR_IMAGE, folder);
    char *options = hypervisor_options(run);
    struct image_request image_request = {
        .output = image,
        .work_folder = folder,
        .options = options,
        .end = emulator_end_word(request->emulation.runner),
    };

    request->emulation.work_folder = folder;
    request->emulation.memory = run->machine->memory;
    request->emulation.machine = run->machine;
    if (!request->emulation.cpu)
        request->emulation.cpu = run->machine->cpu ? run->machine->cpu : EMULATOR_CPU;
    int code = emulator_check(&request->emulation);
    if (code == LINTEL_OK)
        code = emulated_nic_prepare(run->machine, request->emulation.runner);
    if (code == LINTEL_OK) {
        code = emulator_takes_disc(&request->emulation)
                   ? (int)disc_build(run->machine, &image_request)
                   : (int)image_build(run->machine, &image_request);
    }
    if (code == LINTEL_OK)
        code = disk_files_make(run->machine, folder);
    if (code == LINTEL_OK)
        code = boot_controlled(run);
    free(options);
    free(image);
    return code;
}

/* The folder to work in: the one to keep, made when it is missing, or a new one. NULL after a
 * message. */
static char *folder_for(const struct boot_request *request)
{
    if (!request->keep)
        return work_folder_make();
    mkdir(request->keep, 0777);
    char *inside = text("%s/.", request->keep); /* a file has no inside */
    char *folder = realpath(inside, NULL);
    free(inside);
    if (!folder)
        note("%s: %s; name a folder that can be made", request->keep, strerror(errno));
    return folder;
}

/* In the folder to work in, of which nothing is left unless it is to be kept. */
static int boot_somewhere(struct run *run, struct boot_request *request)
{
    char *folder = folder_for(request);
    int code = folder ? boot_in(run, request, folder) : LINTEL_MACHINE;

    if (folder && !request->keep)
        work_folder_remove(folder);
    else
        free(folder);
    return code;
}

/* Returns the run's code, or that of a failure to write. */
static int write_results(const struct results *results, FILE *file, const char *path,
                         void (*writer)(const struct results *results, FILE *to))
{
    if (file)
        writer(results, file);
    return output_close(file, path, results->code);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int boot_machine(struct machine *machine, struct boot_request *request)
{
    struct run run = {
        .request = request,
        .machine = machine,
        .lines = lines_shown(request, machine),
    };
    struct results results = {
        .machine = machine,
        .outcome = &run.outcome,
        .suite = request->description,
    };
    uint64_t begin = now_ms();
    FILE *json, *junit = NULL;

    console_process_set_lines(&machine->plan, run.lines);
    outcome_begin(&run.outcome, &machine->plan);
    /* What a guest says in the hypervisor's name must not end another's run. */
    run.outcome.unforged = machine->plan.vm_count == 1 || run.lines;
    results.code = output_open(request->json, &json);
    if (results.code == LINTEL_OK)
        results.code = output_open(request->junit, &junit);
    if (results.code == LINTEL_OK)
        results.code = boot_somewhere(&run, request);
    results.message = run.message;
    results.milliseconds = (unsigned)(now_ms() - begin);
    results.code = write_results(&results, json, request->json, results_write_json);
    results.code = write_results(&results, junit, request->junit, results_write_junit);
    free(run.message);
    return results.code;
}
