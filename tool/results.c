/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON and JUnit: see results.h. */
#include "tool/results.h"

#include <inttypes.h>
#include <stdbool.h>

#include "tool/json.h"
#include "tool/utf8.h"

static const char *const end_names[] = {
    [VM_RUNNING] = "running", [VM_POWERED_OFF] = "power-off", [VM_FAULT] = "fault",
    [VM_EXITED] = "exit",     [VM_RESET] = "reset",           [VM_HALTED] = "halt",
};

bool results_vm_good(const struct results *results, unsigned vm)
{
    const struct outcome_vm *o = &results->outcome->vms[vm];

    return o->end != VM_RUNNING && o->end != VM_FAULT &&
           (o->end != VM_EXITED || o->status == results->machine->success[vm]);
}

/* What is to be said of a VM that has ended, or has not. */
static const char *message(const struct results *results, unsigned vm)
{
    const struct outcome_vm *o = &results->outcome->vms[vm];

    if (o->end != VM_RUNNING)
        return o->why;
    return results->message ? results->message : "it still ran when the run was ended";
}

/* Where the first vCPU was of which that was said; of several, each. */
static void json_places(const struct outcome_vm *o, FILE *to)
{
    const char *between = "";

    fprintf(to, ", \"rip\": \"%016" PRIx64 "\"", o->rip[__builtin_ctz(o->located)]);
    if (o->vcpus == 1)
        return;
    fputs(", \"vcpus\": [", to);
    for (unsigned i = 0; i < o->vcpus; i++)
        if (o->located >> i & 1) {
            fprintf(to, "%s{\"vcpu\": %u, \"rip\": \"%016" PRIx64 "\"}", between, i, o->rip[i]);
            between = ", ";
        }
    fputs("]", to);
}

static void json_vm(const struct results *results, unsigned vm, FILE *to)
{
    const struct outcome_vm *o = &results->outcome->vms[vm];

    fputs("    {\"name\": ", to);
    json_string(to, o->name);
    fprintf(to, ", \"end\": \"%s\", \"good\": %s", end_names[o->end],
            results_vm_good(results, vm) ? "true" : "false");
    if (o->end == VM_EXITED)
        fprintf(to, ", \"status\": %u", o->status);
    if (o->located)
        json_places(o, to);
    fputs(", \"message\": ", to);
    json_string(to, message(results, vm));
    fputs("}", to);
}

void results_write_json(const struct results *results, FILE *to)
{
    unsigned count = results->machine->plan.vm_count;

    json_begin(to, "run");
    fputs("\"description\": ", to);
    json_string(to, results->suite);
    fprintf(to, ",\n  \"code\": %d,\n  \"seconds\": %u.%03u,\n  \"message\": ", results->code,
            results->milliseconds / 1000, results->milliseconds % 1000);
    json_string(to, results->message ? results->message : "");
    fputs(",\n  \"vms\": [\n", to);
    for (unsigned i = 0; i < count; i++) {
        json_vm(results, i, to);
        fputs(i + 1 < count ? ",\n" : "\n", to);
    }
    fputs("  ]\n}\n", to);
}

/* An attribute's value. What XML cannot have is a question mark. */
static void xml_string(FILE *to, const char *string)
{
    size_t length;

    for (; *string; string += length > 0 ? length : 1) {
        length = utf8_character(string);
        switch (*string) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        default:
            if (length == 0 || (unsigned char)*string < ' ')
                fputc('?', to);
            else
                fwrite(string, 1, length, to);
        }
    }
}

static void junit_case(const struct results *results, unsigned vm, FILE *to)
{
    const struct outcome_vm *o = &results->outcome->vms[vm];

    fprintf(to, "    <testcase classname=\"lintel\" name=\"%s\" time=\"%u.%03u\"", o->name,
            results->milliseconds / 1000, results->milliseconds % 1000);
    if (results_vm_good(results, vm)) {
        fputs("/>\n", to);
        return;
    }
    fprintf(to, ">\n      <%s type=\"%s\" message=\"", o->end == VM_RUNNING ? "error" : "failure",
            end_names[o->end]);
    xml_string(to, message(results, vm));
    fputs("\"/>\n    </testcase>\n", to);
}

void results_write_junit(const struct results *results, FILE *to)
{
    unsigned count = results->machine->plan.vm_count, running = 0, bad = 0;

    for (unsigned i = 0; i < count; i++) {
        bool runs = results->outcome->vms[i].end == VM_RUNNING;
        running += runs;
        bad += !runs && !results_vm_good(results, i);
    }
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"", to);
    xml_string(to, results->suite);
    fprintf(to, "\" tests=\"%u\" failures=\"%u\" errors=\"%u\" time=\"%u.%03u\">\n", count, bad,
            running, results->milliseconds / 1000, results->milliseconds % 1000);
    for (unsigned i = 0; i < count; i++)
        junit_case(results, i, to);
    fputs("  </testsuite>\n</testsuites>\n", to);
}
