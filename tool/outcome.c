/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the hypervisor's verdict: see outcome.h. */
#include "tool/outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The rest of a line after a prefix, or NULL. */
static const char *after(const char *line, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(line, prefix, length) == 0 ? line + length : NULL;
}

/* How a VM that is not at fault has ended, by the words that the monitor chose. */
static enum vm_end end_of(const char *why, unsigned *status)
{
    if (sscanf(why, "exit status %u", status) == 1)
        return VM_EXITED;
    if (after(why, "the guest reset itself"))
        return VM_RESET;
    return after(why, "the guest halts for ever") ? VM_HALTED : VM_POWERED_OFF;
}

static void read_vm_line(struct outcome_vm *vm, const char *said)
{
    const char *why = after(said, "stopped for a fault: ");
    bool fault = why != NULL;
    unsigned vcpu;
    uint64_t rip;
    int end = 0;

    if (!why)
        why = after(said, "powered off: ");
    if (why) {
        vm->end = fault ? VM_FAULT : end_of(why, &vm->status);
        snprintf(vm->why, sizeof(vm->why), "%s", why);
    } else if (sscanf(said, "vcpu %u: rip %*x:%" SCNx64, &vcpu, &rip) == 2 && vcpu < vm->vcpus) {
        vm->located |= 1U << vcpu;
        vm->rip[vcpu] = rip;
        vm->reporting = vcpu;
    } else if (sscanf(said, "vcpu %u: off: %n", &vcpu, &end) == 1 && end && vcpu < vm->vcpus) {
        vm->reported |= 1U << vcpu;
    } else if (after(said, "bytes at rip:")) {
        vm->reported |= 1U << vm->reporting;
    }
}

/* "NAME: WHAT" of one of the VMs. */
static void read_vm(struct outcome *outcome, const char *line)
{
    for (unsigned i = 0; i < PLAN_MAX_VMS && outcome->vms[i].name; i++) {
        const char *rest = after(line, outcome->vms[i].name);
        if (rest && (rest = after(rest, ": ")))
            read_vm_line(&outcome->vms[i], rest);
    }
}

void outcome_begin(struct outcome *outcome, const struct plan *plan)
{
    *outcome = (struct outcome){0};
    for (unsigned i = 0; i < plan->vm_count; i++)
        outcome->vms[i] =
            (struct outcome_vm){.name = plan->vms[i].name, .vcpus = plan->vms[i].vcpus};
}

bool outcome_has_fault(const struct outcome *outcome)
{
    for (unsigned i = 0; i < PLAN_MAX_VMS; i++)
        if (outcome->vms[i].end == VM_FAULT)
            return true;
    return false;
}

void outcome_asked(struct outcome *outcome)
{
    for (unsigned i = 0; i < PLAN_MAX_VMS; i++)
        outcome->vms[i].reported = 0;
}

bool outcome_all_reported(const struct outcome *outcome)
{
    for (unsigned i = 0; i < PLAN_MAX_VMS && outcome->vms[i].name; i++)
        if (outcome->vms[i].end == VM_RUNNING &&
            outcome->vms[i].reported != (1U << outcome->vms[i].vcpus) - 1)
            return false;
    return true;
}

/* A panic's lines "  at   ADDRESS" and "  from ADDRESS". */
static void read_place(struct outcome *outcome, const char *said)
{
    uint64_t place;

    if (outcome->place_count < OUTCOME_PLACES && (sscanf(said, "  at %" SCNx64, &place) == 1 ||
                                                  sscanf(said, "  from %" SCNx64, &place) == 1))
        outcome->places[outcome->place_count++] = place;
}

static void read_line(struct outcome *outcome)
{
    const char *rest;
    int end = 0;

    outcome->line[outcome->length] = '\0';
    if (outcome->length == 0)
        return;
    if ((rest = after(outcome->line, OUTCOME_PREFIX "vm ")))
        read_vm(outcome, rest);
    if (sscanf(outcome->line, OUTCOME_PREFIX "end: %u VMs, %u faults%n", &outcome->vm_count,
               &outcome->faults, &end) == 2 &&
        end && outcome->line[end] == '\0') {
        outcome->kind = OUTCOME_END;
    } else if ((rest = after(outcome->line, OUTCOME_PREFIX "caps: verdict: "))) {
        outcome->kind = OUTCOME_VERDICT;
        outcome->can_run = after(rest, "Lintel runs ") != NULL;
    } else if ((rest = after(outcome->line, OUTCOME_PREFIX "stopped: "))) {
        outcome->kind = OUTCOME_STOPPED;
        snprintf(outcome->reason, sizeof(outcome->reason), "%s", rest);
    } else if ((rest = after(outcome->line, OUTCOME_PREFIX "panic: "))) {
        outcome->kind = OUTCOME_PANIC;
        outcome->place_count = 0;
        snprintf(outcome->reason, sizeof(outcome->reason), "%s", rest);
    } else if (outcome->kind == OUTCOME_PANIC && (rest = after(outcome->line, OUTCOME_PREFIX))) {
        read_place(outcome, rest);
    } else if ((outcome->kind == OUTCOME_END || outcome->kind == OUTCOME_VERDICT) &&
               strcmp(outcome->line, OUTCOME_HALTED) != 0) {
        outcome->kind = OUTCOME_NONE;
    }
}

void outcome_take(struct outcome *outcome, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            read_line(outcome);
            outcome->length = 0;
        } else if (bytes[i] != '\r' && outcome->length < sizeof(outcome->line) - 1) {
            outcome->line[outcome->length++] = bytes[i];
        }
    }
}

bool outcome_is_last_word(const struct outcome *outcome)
{
    return outcome->unforged && outcome->kind != OUTCOME_NONE && outcome->length == 0;
}
