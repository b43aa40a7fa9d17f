/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that is no monitor: a driver or a service, with a thread of its own. What it may touch
 * comes from its row of the plan, is there before it starts, and never changes. If it faults it is
 * started again, within a bound; nobody else stops.
 */
#pragma once

#include "hypervisor/cpu/acpi.h"
#include "hypervisor/process/process.h"

struct service {
    struct process process;
    struct thread thread;
    const struct plan_process *plan;
    const struct phys_range *image; /* its ELF file */
    struct bucket starts;           /* how often it may still be started again */
    uint32_t function;              /* its PCI function, or PCI_NONE */
    bool waiting;                   /* in GATE_WAIT */
    bool ended;
    bool trusted;                        /* its device reaches all memory */
    uint8_t vectors[PROCESS_INTERRUPTS]; /* of its interrupts */
    uint64_t held; /* EVENT_INTERRUPT of those that came again before it was told of them */
};

/* All of the plan, in its order. */
extern struct service services[PLAN_MAX_PROCESSES];

#define SERVICE_OF(t) THREAD_IN(struct service, thread, t)

/* Before ring 3 of a service: whoever keeps registers of his in the CPU takes care that they cannot
 * be guessed at, unless it is trusted. Set once, before the first one runs; NULL: nobody does. */
extern void (*service_claims_cpu)(bool trusted);

/* Makes the process of a plan row, with its grants, but for its channels; files are the plan's
 * modules. Stops with a verdict where the machine does not have what it is to get. */
void service_create(const struct plan_process *plan, const struct phys_range *files,
                    const struct acpi_info *acpi);

/* GATE_WAIT: notifies these channels, ends these interrupts, and returns its events, once there are
 * some. */
int64_t service_wait(struct service *s, uint64_t channels, uint64_t interrupts);

/* GATE_STOP, or a fault. */
void __attribute__((noreturn)) service_stop(struct service *s, bool fault, const char *why);
