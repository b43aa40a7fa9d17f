/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdict on a CPU's VT-x (R1, R10): see capability.h. */
#include "tool/capability.h"

#include <cpuid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/json.h"

#define MSR_FILE "/dev/cpu/0/msr"

static uint64_t file_rdmsr(void *context, uint32_t index)
{
    uint64_t value = 0; /* also what an MSR says that the CPU does not have */

    return pread(*(int *)context, &value, sizeof(value), index) == sizeof(value) ? value : 0;
}

static void run_cpuid(void *context, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    __cpuid_count(leaf, subleaf, out[0], out[1], out[2], out[3]);
}

const char *capability_read(struct vmx_caps *caps, struct mitigation_facts *flaws)
{
    int file = open(MSR_FILE, O_RDONLY | O_CLOEXEC);
    struct caps_reader reader = {file_rdmsr, run_cpuid, &file};
    uint32_t leaf1[4];

    *caps = (struct vmx_caps){0};
    run_cpuid(NULL, 1, 0, leaf1);
    if (!(leaf1[2] & BIT(5))) {
        if (file >= 0)
            close(file);
        return "CPUID shows no VT-x here: the CPU has none, or this is a virtual machine without "
               "nesting";
    }
    caps->cpuid_vmx = true;
    if (file < 0) {
        return "the CPU has VT-x, but " MSR_FILE
               " cannot be read: load the module msr, and be root";
    }
    vmx_caps_read(caps, &reader);
    caps_read_flaws(flaws, &reader);
    close(file);
    return NULL;
}

static void print_row(FILE *to, const struct vmx_controls *controls, enum control_id id)
{
    const struct control_row *row = &control_rows[id];
    bool has = control_has(controls, id);

    fprintf(to, "  %-32s %-7s %s%s%s\n", row->name,
            row->need == CONTROL_NEEDED ? "needed" : "wanted", vmx_control_verdict(controls, id),
            has ? "" : ": ", has ? "" : row->lost);
}

bool capability_print(FILE *to, const struct vmx_caps *caps, const struct mitigation_facts *flaws)
{
    enum vmx_permission permission = vmx_permission(caps);
    struct vmx_controls controls;
    enum control_id missing;
    bool whole = vmx_controls_choose(caps, 0, &controls, &missing);

    fprintf(to, "CPU signature %08x, physical addresses of %u bits\n%s\n", caps->signature,
            caps->physical_bits, vmx_permission_words(permission));
    for (unsigned id = 0; id < CONTROL_COUNT; id++)
        print_row(to, &controls, id);
    for (unsigned id = 0; id < MITIGATION_ROWS; id++)
        fprintf(to, "  %-32s %s: %s\n", caps_mitigations[id].name,
                caps_mitigation_verdict(flaws, id), caps_mitigations[id].flaw);
    if (permission != VMX_USABLE && permission != VMX_SET_AND_LOCK) {
        fprintf(to, "verdict: Lintel cannot run on this CPU: %s\n",
                vmx_permission_words(permission));
        return false;
    }
    if (!whole) {
        fprintf(to, "verdict: Lintel cannot run on this CPU: this CPU lacks %s (needed): %s\n",
                control_rows[missing].name, control_rows[missing].lost);
        return false;
    }
    fprintf(to, "verdict: Lintel runs on this CPU\n");
    return true;
}

void capability_judge(const struct vmx_caps *caps, const struct mitigation_facts *flaws,
                      struct capability *capability)
{
    enum vmx_permission permission = vmx_permission(caps);
    struct vmx_controls controls;
    enum control_id missing;
    bool whole = vmx_controls_choose(caps, 0, &controls, &missing);

    for (unsigned id = 0; id < CONTROL_COUNT; id++)
        capability->has[id] = control_has(&controls, id);
    for (unsigned id = 0; id < MITIGATION_ROWS; id++)
        capability->mitigate[id] = mitigations_needed(flaws) & BIT(id);
    snprintf(capability->permission, sizeof(capability->permission), "%s",
             vmx_permission_words(permission));
    capability->can_run = whole && (permission == VMX_USABLE || permission == VMX_SET_AND_LOCK);
}

/* Whether a row of a table is this name's, and then what its verdict is. */
static bool has_row(const char *words, const char *name, const char *good, bool *verdict)
{
    size_t length = strcspn(words, " ");

    if (strlen(name) != length || strncmp(words, name, length) != 0)
        return false;
    *verdict = strncmp(words + length + strspn(words + length, " "), good, strlen(good)) == 0;
    return true;
}

/* A row of one of the tables: a name, then its verdict. */
static void parse_row(const char *words, struct capability *capability)
{
    for (unsigned id = 0; id < CONTROL_COUNT; id++)
        if (has_row(words, control_rows[id].name, "ok", &capability->has[id]))
            return;
    for (unsigned id = 0; id < MITIGATION_ROWS; id++)
        if (has_row(words, caps_mitigations[id].name, "needed", &capability->mitigate[id]))
            return;
}

bool capability_parse(FILE *console, struct capability *capability)
{
    static const char prefix[] = "lintel: ", about[] = "caps: ", verdict[] = "verdict: Lintel ";
    bool found = false;
    char line[256];

    *capability = (struct capability){0};
    while (fgets(line, sizeof(line), console)) {
        const char *words = line + strlen(prefix);
        line[strcspn(line, "\r\n")] = '\0';
        if (strncmp(line, prefix, strlen(prefix)) != 0)
            continue;
        if (strncmp(words, about, strlen(about)) != 0) {
            parse_row(words, capability);
            continue;
        }
        words += strlen(about);
        if (strncmp(words, verdict, strlen(verdict)) == 0) {
            capability->can_run = strncmp(words + strlen(verdict), "runs", 4) == 0;
            found = true;
        } else {
            snprintf(capability->permission, sizeof(capability->permission), "%s", words);
        }
    }
    return found;
}

void capability_write_json(FILE *to, const char *cpu, const struct capability *capability)
{
    json_begin(to, "caps");
    fputs("\"cpu\": ", to);
    if (cpu)
        json_string(to, cpu);
    else
        fputs("null", to);
    fputs(",\n  \"permission\": ", to);
    json_string(to, capability->permission);
    fprintf(to, ",\n  \"good\": %s,\n  \"controls\": [", capability->can_run ? "true" : "false");
    for (unsigned id = 0; id < CONTROL_COUNT; id++) {
        const struct control_row *row = &control_rows[id];
        fputs(id > 0 ? ",\n    {\"name\": " : "\n    {\"name\": ", to);
        json_string(to, row->name);
        fprintf(to, ", \"needed\": %s, \"has\": %s, \"without\": ",
                row->need == CONTROL_NEEDED ? "true" : "false",
                capability->has[id] ? "true" : "false");
        json_string(to, row->lost);
        fputs("}", to);
    }
    fputs("\n  ],\n  \"mitigations\": [", to);
    for (unsigned id = 0; id < MITIGATION_ROWS; id++) {
        fputs(id > 0 ? ",\n    {\"name\": " : "\n    {\"name\": ", to);
        json_string(to, strchr(caps_mitigations[id].name, '-') + 1);
        fprintf(to, ", \"needed\": %s, \"done\": %s, \"against\": ",
                capability->mitigate[id] ? "true" : "false",
                capability->mitigate[id] && id < MITIGATION_COUNT ? "true" : "false");
        json_string(to, caps_mitigations[id].flaw);
        fputs("}", to);
    }
    fputs("\n  ]\n}\n", to);
}
