/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel caps: what VT-x offers, here or on an emulated machine, against what Lintel needs and
 * wants. */

#include "tool/boot.h"
#include "tool/capability.h"
#include "tool/command.h"
#include "tool/size.h"

#define CAPS_MEMORY  (256 * MIB)
#define CAPS_SECONDS 120

static const struct option long_options[] = {{"cpu", required_argument, NULL, 'c'}, {0}};

/* Boots the hypervisor without a VM; it prints the table. */
static int ask_emulated(const char *cpu)
{
    struct machine machine = {
        .plan = {.magic = PLAN_MAGIC, .version = PLAN_VERSION, .size = sizeof(struct plan)},
        .memory = CAPS_MEMORY,
    };
    struct boot_request request = {
        .emulation = {.runner = RUNNER_BOCHS, .cpu = cpu, .ips = EMULATOR_IPS},
        .options = "caps hide=",
        .timeout = CAPS_SECONDS,
    };

    return boot_machine(&machine, &request);
}

int command_caps(const struct command *self, int argc, char *argv[])
{
    const char *cpu = NULL;
    struct vmx_caps caps;
    int option;

    while ((option = command_option(self, argc, argv, "", long_options)) >= 0) {
        if (option != 'c')
            return LINTEL_USAGE;
        cpu = optarg;
    }
    if (optind != argc)
        return command_misused(self, "no argument is taken");
    const char *obstacle = cpu ? NULL : capability_read(&caps);
    if (!cpu && !obstacle)
        return capability_print(stdout, &caps) ? LINTEL_OK : LINTEL_FAULT;
    if (obstacle)
        note("%s. Asking the emulated machine instead:", obstacle);
    return ask_emulated(cpu);
}
