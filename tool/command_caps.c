/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel caps: what VT-x offers, here or on an emulated machine, against what Lintel needs and
 * wants. */
#include <stdlib.h>

#include "tool/boot.h"
#include "tool/capability.h"
#include "tool/command.h"
#include "tool/output_file.h"
#include "tool/process.h"
#include "tool/size.h"

#define CAPS_MEMORY  (256 * MIB)
#define CAPS_SECONDS 120

static const struct option long_options[] = {
    {"cpu", required_argument, NULL, 'c'}, {"json", required_argument, NULL, 'j'}, {0}};

/* The verdict on `cpu` that is in the console's log in `folder`. */
static int tell_emulated(const char *cpu, const char *folder, FILE *json)
{
    char *path = text("%s/console.log", folder);
    FILE *console = fopen(path, "re");
    struct capability capability;
    bool told = console && capability_parse(console, &capability);

    if (console)
        fclose(console);
    free(path);
    if (!told)
        return fail(LINTEL_MACHINE, "the emulated machine has given no verdict");
    capability_write_json(json, cpu, &capability);
    return LINTEL_OK;
}

/* Boots the hypervisor without a VM; it prints the table. */
static int ask_emulated(const char *cpu, FILE *json)
{
    struct machine machine = {
        .plan = {.magic = PLAN_MAGIC, .version = PLAN_VERSION, .size = sizeof(struct plan)},
        .memory = CAPS_MEMORY,
        .cpus = 1,
    };
    char *folder = json ? work_folder_make() : NULL;
    struct boot_request request = {
        .emulation = {.runner = RUNNER_BOCHS, .cpu = cpu, .ips = EMULATOR_IPS},
        .options = "caps hide=",
        .timeout = CAPS_SECONDS,
        .keep = folder,
    };

    if (json && !folder)
        return LINTEL_MACHINE;
    int code = boot_machine(&machine, &request);
    if (folder) {
        if (code == LINTEL_OK || code == LINTEL_FAULT) {
            int told = tell_emulated(cpu ? cpu : EMULATOR_CPU, folder, json);
            code = code == LINTEL_OK ? told : code;
        }
        work_folder_remove(folder);
    }
    return code;
}

/* This machine's CPU, if it can be asked and no other one is meant. */
static int ask(const char *cpu, FILE *json)
{
    struct capability capability;
    struct mitigation_facts flaws;
    struct vmx_caps caps;
    const char *obstacle = cpu ? NULL : capability_read(&caps, &flaws);

    if (!cpu && !obstacle) {
        capability_judge(&caps, &flaws, &capability);
        if (json)
            capability_write_json(json, NULL, &capability);
        return capability_print(stdout, &caps, &flaws) ? LINTEL_OK : LINTEL_FAULT;
    }
    if (obstacle)
        note("%s. Asking the emulated machine instead:", obstacle);
    return ask_emulated(cpu, json);
}

int command_caps(const struct command *self, int argc, char *argv[])
{
    const char *cpu = NULL, *output = NULL;
    FILE *json;
    int option;

    while ((option = command_option(self, argc, argv, "", long_options)) >= 0)
        if (option == 'c')
            cpu = optarg;
        else if (option == 'j')
            output = optarg;
        else
            return LINTEL_USAGE;
    if (optind != argc)
        return command_misused(self, "no argument is taken");
    int code = output_open(output, &json);
    return code == LINTEL_OK ? output_close(json, output, ask(cpu, json)) : code;
}
