/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel check: what is wrong with a VM description, or what it comes to. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool/command.h"
#include "tool/json.h"
#include "tool/machine.h"
#include "tool/output_file.h"
#include "tool/promise.h"

static FILE *errors; /* of the JSON's list */

static void add_error(const struct complaint *complaint)
{
    fputs(ftell(errors) > 0 ? ",\n    {" : "\n    {", errors);
    if (complaint->file) {
        fprintf(errors, "\"line\": %zu, \"column\": %zu, \"where\": ", complaint->line,
                complaint->column);
        json_string(errors, complaint->where);
        fputs(", ", errors);
    }
    fputs("\"message\": ", errors);
    json_string(errors, complaint->message);
    fputs("}", errors);
}

static void write_vm(FILE *to, const struct plan_vm *vm, bool alone)
{
    fputs("{\"name\": ", to);
    json_string(to, vm->name);
    fprintf(to, ", \"memory\": %" PRIu64 ", \"vcpus\": %u, \"cpus\": [", vm->memory, vm->vcpus);
    for (uint32_t v = 0; v < vm->vcpus; v++)
        fprintf(to, "%s%u", v > 0 ? ", " : "", vm->cpus[v]);
    fprintf(to, "], \"alone\": %s, \"snapshot\": %s, \"budget_us\": %u, \"period_us\": %u}",
            alone ? "true" : "false", vm->snapshot ? "true" : "false", vm->budget, vm->period);
}

/* machine: NULL where the description is wrong. */
static void write_json(FILE *to, const char *path, int code, const char *listed,
                       const struct machine *machine)
{
    json_begin(to, "check");
    fputs("\"description\": ", to);
    json_string(to, path);
    fprintf(to, ",\n  \"code\": %d,\n  \"good\": %s,\n  \"errors\": [%s%s]", code,
            machine ? "true" : "false", listed, *listed ? "\n  " : "");
    if (machine) {
        fprintf(to, ",\n  \"memory\": %" PRIu64 ",\n  \"cpus\": %u,\n  \"vms\": [", machine->memory,
                machine->cpus);
        for (uint32_t i = 0; i < machine->plan.vm_count; i++) {
            fputs(i > 0 ? ",\n    " : "\n    ", to);
            write_vm(to, &machine->plan.vms[i], machine->alone[i]);
        }
        fputs("\n  ],\n  \"files\": [", to);
        for (uint32_t i = 0; i < machine->plan.file_count; i++) {
            fputs(i > 0 ? ", " : "", to);
            json_string(to, machine->files[i]);
        }
        fputs("]", to);
    }
    fputs("\n}\n", to);
}

static void print(const char *path, const struct machine *machine)
{
    const struct plan *plan = &machine->plan;

    printf("%s: good: %u VM%s, %u file%s, %llu MiB and %u CPU%s for the machine\n", path,
           plan->vm_count, plan->vm_count == 1 ? "" : "s", plan->file_count,
           plan->file_count == 1 ? "" : "s", (unsigned long long)machine->memory >> 20,
           machine->cpus, machine->cpus == 1 ? "" : "s");
    promise_print(machine);
}

/* Into the open file `json`, or with NULL for people alone. */
static int check(const char *path, FILE *json)
{
    struct machine machine;
    char *listed = NULL;
    size_t size;

    errors = json ? open_memstream(&listed, &size) : NULL;
    complaints_tell(errors ? add_error : NULL);
    int code = machine_load(path, MACHINE_EMULATED, &machine);
    complaints_tell(NULL);
    if (errors)
        fclose(errors);
    if (json)
        write_json(json, path, code, listed ? listed : "", code == LINTEL_OK ? &machine : NULL);
    free(listed);
    if (code == LINTEL_OK) {
        print(path, &machine);
        machine_free(&machine);
    }
    return code;
}

int command_check(const struct command *self, int argc, char *argv[])
{
    const char *output;
    FILE *json;
    int code = command_with_json(self, argc, argv, "give one VM description", &output);

    if (code == LINTEL_OK)
        code = output_open(output, &json);
    if (code == LINTEL_OK)
        code = output_close(json, output, check(argv[optind], json));
    return code;
}
