/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel run: the image, an emulator, and the guest's console on this terminal. */
#include <stdlib.h>

#include "tool/boot.h"
#include "tool/command.h"
#include "tool/image.h"
#include "tool/paths.h"

struct run_request {
    const char *description; /* NULL: the demo */
    const char *on;          /* NULL: what this machine can do */
    struct boot_request boot;
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
    {"log", required_argument, NULL, 'l'},
    {"junit", required_argument, NULL, 'u'},
    {"json", required_argument, NULL, 'j'},
    {"control", required_argument, NULL, 'C'},
    {0},
};

/* Takes one option. LINTEL_USAGE after a message. */
static int take_option(const struct command *self, int option, struct run_request *request)
{
    unsigned long long number;
    const char *wrong;

    switch (option) {
    case 'n':
        request->on = optarg;
        return LINTEL_OK;
    case 'c':
        request->boot.emulation.cpu = optarg;
        return LINTEL_OK;
    case 'k':
        request->boot.keep = optarg;
        return LINTEL_OK;
    case 'l':
        request->boot.log = optarg;
        return LINTEL_OK;
    case 'u':
        request->boot.junit = optarg;
        return LINTEL_OK;
    case 'j':
        request->boot.json = optarg;
        return LINTEL_OK;
    case 'C':
        request->boot.control = optarg;
        return LINTEL_OK;
    case 'f':
        if (!firmware_parse(optarg, &request->boot.emulation.firmware)) {
            return command_misused(self, "--firmware takes bios, ovmf or seabios, not '%s'",
                                   optarg);
        }
        return LINTEL_OK;
    case 'i':
        if (!command_number(self, "--ips", optarg, 1000000, 1000000000, &number))
            return LINTEL_USAGE;
        request->boot.emulation.ips = number;
        return LINTEL_OK;
    case 's':
        if (!command_number(self, "--time", optarg, 1, UINT32_MAX, &number))
            return LINTEL_USAGE;
        request->boot.emulation.start_time = number;
        return LINTEL_OK;
    case 't':
        if (!command_number(self, "--timeout", optarg, 1, 1000000, &number))
            return LINTEL_USAGE;
        request->boot.timeout = (unsigned)number;
        return LINTEL_OK;
    case 'O':
        wrong = image_options_wrong(optarg);
        if (wrong)
            return command_misused(self, "%s", wrong);
        request->boot.options = optarg;
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

    while ((option = command_option(self, argc, argv, "", long_options)) >= 0) {
        int code = take_option(self, option, request);
        if (code != LINTEL_OK)
            return code;
    }
    if (optind < argc - 1)
        return command_misused(self, "give at most one VM description");
    request->description = optind < argc ? argv[optind] : NULL;
    request->boot.emulation.runner = runner_choose(&facts);
    if (request->on && !runner_parse(request->on, &request->boot.emulation.runner))
        return command_misused(self, "--on takes bochs or qemu-kvm, not '%s'", request->on);
    if (request->boot.emulation.runner == RUNNER_QEMU_KVM && runner_kvm_obstacle(&facts))
        return fail(LINTEL_MACHINE, "qemu-kvm cannot run Lintel: %s", runner_kvm_obstacle(&facts));
    return LINTEL_OK;
}

int command_run(const struct command *self, int argc, char *argv[])
{
    struct run_request request = {.boot.emulation.ips = EMULATOR_IPS};
    struct machine machine;
    int code = read_options(self, argc, argv, &request);
    unsigned use = MACHINE_EMULATED | (request.boot.control ? MACHINE_CONTROLLED : 0);

    if (code != LINTEL_OK)
        return code;
    char *description =
        request.description ? text("%s", request.description) : built_path(BUILT_DEMO);
    code = description ? (int)machine_load(description, use, &machine) : LINTEL_MACHINE;
    request.boot.description = description ? description : "";
    if (code == LINTEL_OK) {
        code = boot_machine(&machine, &request.boot);
        machine_free(&machine);
    }
    free(description);
    return code;
}
