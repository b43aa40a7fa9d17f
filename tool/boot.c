/* SPDX-License-Identifier: BSD-2-Clause */
/* Booting a machine in an emulator: see boot.h. */
#include "tool/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/image.h"
#include "tool/process.h"
#include "tool/session.h"
#include "tool/terminal.h"

/* What the run came to, said in words when it is bad. */
static int judge(const struct boot_request *request, enum session_end end,
                 const struct outcome *outcome, int emulator_code, int signal_number)
{
    switch (end) {
    case SESSION_QUIT:
        return outcome->vm_stopped ? fail(LINTEL_FAULT, "a VM was stopped for a fault") : LINTEL_OK;
    case SESSION_SIGNAL:
        return 128 + signal_number;
    case SESSION_TIMEOUT:
        return fail(LINTEL_UNFINISHED, "the run was ended after %u s (--timeout)",
                    request->timeout);
    case SESSION_UNREAD:
        return LINTEL_MACHINE;
    case SESSION_CLOSED:
    case SESSION_HALTED:
        break;
    }
    switch (outcome->kind) {
    case OUTCOME_END:
        if (outcome->faults) {
            return fail(LINTEL_FAULT, "%u of %u VMs stopped for a fault", outcome->faults,
                        outcome->vms);
        }
        return LINTEL_OK;
    case OUTCOME_VERDICT:
        return outcome->can_run ? LINTEL_OK : LINTEL_FAULT;
    case OUTCOME_STOPPED:
        return fail(LINTEL_FAULT, "the hypervisor stopped: %s", outcome->reason);
    case OUTCOME_PANIC:
        note("the hypervisor panicked: %s", outcome->reason);
        emulator_explain(&request->emulation);
        return LINTEL_FAULT;
    case OUTCOME_NONE:
        break;
    }
    note("%s ended (code %d) before the hypervisor did; it said:",
         runner_name(request->emulation.runner), emulator_code);
    emulator_explain(&request->emulation);
    return LINTEL_UNFINISHED;
}

/* Whether lines come from a file or another program. They are for prompts, which have no end of
 * line, and so for one VM at a time. */
static bool input_is_script(void)
{
    struct stat info;

    return fstat(STDIN_FILENO, &info) == 0 && !S_ISCHR(info.st_mode);
}

/* Whether the lines of all VMs are shown, each with its VM's name: where no person switches between
 * consoles, unless the user says otherwise; of his words the last wins. */
static bool lines_shown(const struct boot_request *request, const struct machine *machine)
{
    bool lines = machine->plan.vm_count > 1 && !terminal_is_ours() && !input_is_script();

    for (const char *word = request->options; word && (word = strstr(word, "console=")); word++)
        lines = strncmp(word, "console=lines", strlen("console=lines")) == 0;
    return lines;
}

static int boot(const struct boot_request *request, const struct machine *machine)
{
    /* What a guest says in the hypervisor's name must not end another's run. */
    struct outcome outcome = {.unforged =
                                  machine->plan.vm_count == 1 || lines_shown(request, machine)};
    int serial, signal_number = 0;
    pid_t child;

    progress("starting %s", runner_name(request->emulation.runner));
    enum exit_code code = emulator_start(&request->emulation, &child, &serial);
    if (code != LINTEL_OK)
        return code;
    enum session_end end = session_run(serial, request->timeout, &outcome, &signal_number);
    close(serial);
    int emulator_code = emulator_end(child, end != SESSION_CLOSED);
    return judge(request, end, &outcome, emulator_code, signal_number);
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

/*
 * The words for the hypervisor's command line, those of the user last: the last one of a name wins.
 * An emulator's memory is new in each run. Clearing it would hide nobody's secrets, and takes an
 * emulated CPU a step for each 8 bytes.
 */
static char *hypervisor_options(const struct boot_request *request, const struct machine *machine)
{
    char *hide = controls_to_hide(request, machine);
    char *words = text("clear-memory=no%s%s%s%s",
                       lines_shown(request, machine) ? " console=lines" : "", hide ? hide : "",
                       request->options ? " " : "", request->options ? request->options : "");

    free(hide);
    return words;
}

/* Builds the image in `folder` and boots it. */
static int boot_in(struct boot_request *request, const struct machine *machine, const char *folder)
{
    char *image = text("%s/" EMULATOR_IMAGE, folder);
    char *options = hypervisor_options(request, machine);
    struct image_request image_request = {
        .output = image,
        .work_folder = folder,
        .options = options,
        .end = emulator_end_word(request->emulation.runner),
    };

    request->emulation.work_folder = folder;
    request->emulation.memory = machine->memory;
    if (!request->emulation.cpu)
        request->emulation.cpu = machine->cpu ? machine->cpu : EMULATOR_CPU;
    int code = emulator_check(&request->emulation);
    if (code == LINTEL_OK)
        code = image_build(machine, &image_request);
    if (code == LINTEL_OK)
        code = boot(request, machine);
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
    char *folder = realpath(request->keep, NULL);
    if (!folder)
        note("%s: %s; name a folder that can be made", request->keep, strerror(errno));
    return folder;
}

int boot_machine(const struct machine *machine, struct boot_request *request)
{
    char *folder = folder_for(request);
    int code = folder ? boot_in(request, machine, folder) : LINTEL_MACHINE;

    if (folder && !request->keep)
        work_folder_remove(folder);
    else
        free(folder);
    return code;
}
