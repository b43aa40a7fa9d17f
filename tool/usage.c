/* SPDX-License-Identifier: BSD-2-Clause */
/* What VMs and processes have used: see usage.h. */
#include "tool/usage.h"

#include <inttypes.h>
#include <string.h>

#include "lib/bits.h"
#include "lib/exit_reasons.h"
#include "tool/json.h"

enum exit_code usage_fetch_processes(struct control_line *line, struct usage *usage)
{
    struct control_answer answer;

    for (unsigned i = 0; i < PLAN_MAX_PROCESSES; i++) {
        enum control_error error = control_line_ask(line, CONTROL_CALL_PROCESS, i, 0, &answer);
        if (error == CONTROL_NO_VM)
            break;
        if (error != CONTROL_OK)
            return control_line_gone(line);
        struct gate_process *is = &usage->processes[usage->process_count++];
        memcpy(is, answer.data, sizeof(*is));
        control_line_name(is->name);
    }
    return LINTEL_OK;
}

enum exit_code usage_fetch_vms(struct control_line *line, const struct control_hello *hello,
                               struct usage *usage)
{
    *usage = (struct usage){.tsc_khz = hello->tsc_khz, .numbers = hello->vms};
    for (unsigned i = 0; i < PLAN_MAX_VMS; i++) {
        if (!(hello->vms & BIT(i)))
            continue;
        enum exit_code code = control_line_look(line, i, &usage->vms[usage->vm_count++]);
        if (code != LINTEL_OK)
            return code;
    }
    return LINTEL_OK;
}

enum exit_code usage_fetch(struct control_line *line, const struct control_hello *hello,
                           struct usage *usage)
{
    enum exit_code code = usage_fetch_vms(line, hello, usage);

    return code == LINTEL_OK ? usage_fetch_processes(line, usage) : code;
}

/* A label's value, with its quotes. */
static void print_label(FILE *to, const char *value)
{
    fputc('"', to);
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', to);
        if (*value == '\n')
            fputs("\\n", to);
        else
            fputc(*value, to);
    }
    fputc('"', to);
}

static void begin_metric(FILE *to, const char *name, const char *kind, const char *help)
{
    fprintf(to, "# HELP lintel_%s %s\n# TYPE lintel_%s %s\n", name, help, name, kind);
}

static void begin_sample(FILE *to, const char *metric, const char *label, const char *value)
{
    fprintf(to, "lintel_%s{%s=", metric, label);
    print_label(to, value);
}

static void print_times(FILE *to, const struct usage *u)
{
    double hz = (double)u->tsc_khz * 1000;

    begin_metric(to, "vm_cpu_seconds_total", "counter",
                 "Time that the VM has had of CPUs, with its monitor's.");
    for (unsigned i = 0; i < u->vm_count; i++) {
        begin_sample(to, "vm_cpu_seconds_total", "vm", u->vms[i].name);
        fprintf(to, "} %.6f\n", (double)u->vms[i].used.time / hz);
    }
    begin_metric(to, "process_cpu_seconds_total", "counter",
                 "Time that the driver or service has had of its CPU.");
    for (unsigned i = 0; i < u->process_count; i++) {
        begin_sample(to, "process_cpu_seconds_total", "process", u->processes[i].name);
        fprintf(to, "} %.6f\n", (double)u->processes[i].time / hz);
    }
}

static void print_states(FILE *to, const struct usage *u)
{
    begin_metric(to, "vm_memory_bytes", "gauge", "The VM's memory.");
    for (unsigned i = 0; i < u->vm_count; i++) {
        begin_sample(to, "vm_memory_bytes", "vm", u->vms[i].name);
        fprintf(to, "} %" PRIu64 "\n", u->vms[i].memory);
    }
    begin_metric(to, "vm_state", "gauge", "1: the VM is in this state.");
    for (unsigned i = 0; i < u->vm_count; i++) {
        begin_sample(to, "vm_state", "vm", u->vms[i].name);
        fprintf(to, ",state=\"%s\"} 1\n", usage_state(&u->vms[i]));
    }
}

static void print_exits(FILE *to, const struct usage *u)
{
    begin_metric(to, "vm_exits_total", "counter", "VM exits, by their basic reason.");
    for (unsigned i = 0; i < u->vm_count; i++)
        for (unsigned reason = 0; reason < GATE_EXIT_REASONS; reason++) {
            if (u->vms[i].exits[reason] == 0)
                continue;
            begin_sample(to, "vm_exits_total", "vm", u->vms[i].name);
            fprintf(to, ",reason=\"%s\"} %" PRIu64 "\n", exit_reason_name(reason),
                    u->vms[i].exits[reason]);
        }
}

static void print_switches(FILE *to, const struct usage *u)
{
    begin_metric(to, "vm_msr_switches_total", "counter",
                 "To switch the VM's MSRs: WRMSR, RDMSR, and values that were right already.");
    for (unsigned i = 0; i < u->vm_count; i++) {
        const struct gate_used *used = &u->vms[i].used;
        const struct {
            const char *how;
            uint64_t count;
        } rows[] = {{"written", used->msr_writes},
                    {"read", used->msr_reads},
                    {"skipped", used->msr_skipped}};
        for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
            begin_sample(to, "vm_msr_switches_total", "vm", u->vms[i].name);
            fprintf(to, ",how=\"%s\"} %" PRIu64 "\n", rows[row].how, rows[row].count);
        }
    }
}

void usage_prometheus(FILE *to, const struct usage *usage)
{
    print_times(to, usage);
    print_states(to, usage);
    print_exits(to, usage);
    print_switches(to, usage);
}

static void write_vm(FILE *to, unsigned number, const struct control_vm *vm)
{
    const char *between = "";

    fprintf(to, "    {\"number\": %u, \"name\": ", number);
    json_string(to, vm->name);
    fprintf(to,
            ", \"state\": \"%s\", \"memory\": %" PRIu64 ", \"vcpus\": %u, \"tsc\": %" PRIu64
            ", \"time\": %" PRIu64 ", \"msr_writes\": %" PRIu64 ", \"msr_reads\": %" PRIu64
            ", \"msr_skipped\": %" PRIu64 ", \"exits\": {",
            usage_state(vm), vm->memory, vm->vcpus, vm->tsc, vm->used.time, vm->used.msr_writes,
            vm->used.msr_reads, vm->used.msr_skipped);
    for (unsigned i = 0; i < GATE_EXIT_REASONS; i++)
        if (vm->exits[i] > 0) {
            fputs(between, to);
            json_string(to, exit_reason_name(i));
            fprintf(to, ": %" PRIu64, vm->exits[i]);
            between = ", ";
        }
    fputs("}}", to);
}

static void write_process(FILE *to, const struct gate_process *is)
{
    fputs("    {\"name\": ", to);
    json_string(to, is->name);
    fprintf(to, ", \"tsc\": %" PRIu64 ", \"time\": %" PRIu64 "}", is->tsc, is->time);
}

void usage_json(FILE *to, const struct usage *u)
{
    unsigned vm = 0;

    json_begin(to, "ps");
    fprintf(to, "\"tsc_khz\": %" PRIu64 ",\n  \"vms\": [", u->tsc_khz);
    for (unsigned number = 0; number < PLAN_MAX_VMS; number++)
        if (u->numbers & BIT(number)) {
            fputs(vm > 0 ? ",\n" : "\n", to);
            write_vm(to, number, &u->vms[vm++]);
        }
    fputs("\n  ],\n  \"processes\": [", to);
    for (unsigned i = 0; i < u->process_count; i++) {
        fputs(i > 0 ? ",\n" : "\n", to);
        write_process(to, &u->processes[i]);
    }
    fputs("\n  ]\n}\n", to);
}
