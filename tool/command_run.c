/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel run: the image, an emulator, and the guest's console on this terminal. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/command.h"
#include "tool/emulator.h"
#include "tool/image.h"
#include "tool/paths.h"
#include "tool/process.h"
#include "tool/session.h"
#include "tool/size.h"

struct run_request {
    const char *description; /* NULL: the demo */
    const char *on;          /* NULL: what this machine can do */
    const char *keep;        /* NULL: a folder that is removed */
    const char *options;
    unsigned long long timeout;
    struct emulation emulation;
};

static const struct option long_options[] = {
    {"on", required_argument, NULL, 'n'},
    {"cpu", required_argument, NULL, 'c'},
    {"firmware", required_argument, NULL, 'f'},
    {"ips", required_argument, NULL, 'i'},
    {"time", required_argument, NULL, 's'},
    {"timeout", required_argument, NULL, 't'},
    {"hypervisor-options", required_argument, NULL, 'O'},
    {"keep", required_argument, NULL, 'k'},
    {0},
};

/* Takes one option. LINTEL_USAGE after a message. */
static int take_option(const struct command *self, int option, struct run_request *request)
{
    unsigned long long number;

    switch (option) {
    case 'n':
        request->on = optarg;
        return LINTEL_OK;
    case 'c':
        request->emulation.cpu = optarg;
        return LINTEL_OK;
    case 'k':
        request->keep = optarg;
        return LINTEL_OK;
    case 'f':
        if (!firmware_parse(optarg, &request->emulation.firmware)) {
            return command_misused(self, "--firmware takes bios, ovmf or seabios, not '%s'",
                                   optarg);
        }
        return LINTEL_OK;
    case 'i':
        if (!command_number(self, "--ips", optarg, 1000000, 1000000000, &number)) {
            return LINTEL_USAGE;
        }
        request->emulation.ips = number;
        return LINTEL_OK;
    case 's':
        if (!command_number(self, "--time", optarg, 1, UINT32_MAX, &number)) {
            return LINTEL_USAGE;
        }
        request->emulation.start_time = number;
        return LINTEL_OK;
    case 't':
        return command_number(self, "--timeout", optarg, 1, 1000000, &request->timeout)
                   ? LINTEL_OK
                   : LINTEL_USAGE;
    case 'O':
        if (!image_options_ok(optarg)) {
            return command_misused(
                self, "--hypervisor-options takes words of letters, digits and =,._:+-");
        }
        request->options = optarg;
        return LINTEL_OK;
    default:
        return LINTEL_USAGE;
    }
}

static int read_options(const struct command *self, int argc, char *argv[],
                        struct run_request *request)
{
    struct runner_facts facts = runner_look();
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
        int code = take_option(self, option, request);
        if (code != LINTEL_OK) {
            return code;
        }
    }
    if (optind < argc - 1) {
        return command_misused(self, "give at most one VM description");
    }
    request->description = optind < argc ? argv[optind] : NULL;
    request->emulation.runner = runner_choose(&facts);
    if (request->on && !runner_parse(request->on, &request->emulation.runner)) {
        return command_misused(self, "--on takes bochs or qemu-kvm, not '%s'", request->on);
    }
    if (request->emulation.runner == RUNNER_QEMU_KVM && runner_kvm_obstacle(&facts)) {
        return fail(LINTEL_MACHINE, "qemu-kvm cannot run Lintel: %s", runner_kvm_obstacle(&facts));
    }
    return LINTEL_OK;
}

/* What the run came to, said in words when it is bad. */
static int judge(const struct run_request *request, enum session_end end,
                 const struct outcome *outcome, int emulator_code, int signal_number)
{
    switch (end) {
    case SESSION_QUIT:
        return LINTEL_OK;
    case SESSION_SIGNAL:
        return 128 + signal_number;
    case SESSION_TIMEOUT:
        return fail(LINTEL_UNFINISHED, "the run was ended after %llu s (--timeout)",
                    request->timeout);
    case SESSION_CLOSED:
        break;
    }
    switch (outcome->kind) {
    case OUTCOME_END:
        if (outcome->faults) {
            return fail(LINTEL_FAULT, "%u of %u VMs stopped for a fault", outcome->faults,
                        outcome->vms);
        }
        return LINTEL_OK;
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

static int boot(const struct run_request *request)
{
    struct outcome outcome = {0};
    int serial, signal_number = 0;
    pid_t child;

    progress("starting %s", runner_name(request->emulation.runner));
    enum exit_code code = emulator_start(&request->emulation, &child, &serial);
    if (code != LINTEL_OK) {
        return code;
    }
    enum session_end end =
        session_run(serial, (unsigned)request->timeout, &outcome, &signal_number);
    close(serial);
    int emulator_code = emulator_end(child, end != SESSION_CLOSED);
    return judge(request, end, &outcome, emulator_code, signal_number);
}

/* Builds the image in `folder` and boots it. */
static int run_in(struct run_request *request, struct machine *machine, const char *folder)
{
    char *image = text("%s/lintel.iso", folder);
    struct image_request image_request = {
        .output = image,
        .work_folder = folder,
        .options = request->options,
        .end = emulator_end_word(request->emulation.runner),
    };

    request->emulation.image = image;
    request->emulation.work_folder = folder;
    request->emulation.memory = machine->memory;
    if (!request->emulation.cpu) {
        request->emulation.cpu = machine->cpu ? machine->cpu : EMULATOR_CPU;
    }
    int code = emulator_check(&request->emulation);
    if (code == LINTEL_OK) {
        code = image_build(machine, &image_request);
    }
    if (code == LINTEL_OK) {
        code = boot(request);
    }
    free(image);
    return code;
}

/* The folder to work in: the one to keep, made when it is missing, or a new one. NULL after a
 * message. */
static char *folder_for(const struct run_request *request)
{
    if (!request->keep) {
        return work_folder_make();
    }
    mkdir(request->keep, 0777);
    char *folder = realpath(request->keep, NULL);
    if (!folder) {
        note("%s: %s; name a folder that can be made", request->keep, strerror(errno));
    }
    return folder;
}

int command_run(const struct command *self, int argc, char *argv[])
{
    struct run_request request = {.emulation.ips = EMULATOR_IPS};
    struct machine machine;
    int code = read_options(self, argc, argv, &request);

    if (code != LINTEL_OK) {
        return code;
    }
    char *description =
        request.description ? text("%s", request.description) : built_path(BUILT_DEMO);
    code = description ? (int)machine_load(description, &machine) : LINTEL_MACHINE;
    free(description);
    if (code != LINTEL_OK) {
        return code;
    }
    char *folder = folder_for(&request);
    code = folder ? run_in(&request, &machine, folder) : LINTEL_MACHINE;
    if (folder && !request.keep) {
        work_folder_remove(folder);
    }
    free(folder);
    machine_free(&machine);
    return code;
}
