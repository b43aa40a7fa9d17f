/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring-3 process of a VM: its address space, its image, and the ways in and out. */
#ifndef USER_MONITOR_H
#define USER_MONITOR_H

#include <stdint.h>

#include "hypervisor/vm/vm.h"

/* The modules that monitors get, by plan index; physical. */
struct monitor_modules {
    struct phys_range image;                 /* the monitor's ELF file */
    struct phys_range files[PLAN_MAX_FILES]; /* the plan's files */
};

/*
 * Builds the monitor of vm: loads the image (W^X), maps the files, guest memory and the pages that
 * it shares with the hypervisor. Stops with a verdict where the image is no monitor.
 */
void monitor_create(struct vm *vm, const struct monitor_modules *modules);

/* Ring 3 goes on where an interrupt stopped it, or at its entry point. */
void __attribute__((noreturn)) monitor_resume(struct vcpu *v);

/* gate.S: back to ring 3 by SYSRET or SYSEXIT with the result of a call. */
void __attribute__((noreturn)) monitor_return(struct vcpu *v, int64_t result);

/* Ring 3 enters by SYSENTER; gate.S reads it. */
extern bool monitor_sysenter;

/* gate.S: where SYSCALL and SYSENTER land. */
extern const uint8_t monitor_gate_syscall[], monitor_gate_sysenter[];

/* gate.c: makes one call; for those that run the guest it does not return. */
int64_t gate_dispatch(uint64_t a, uint64_t b, uint64_t c, uint64_t call, struct vcpu *v);

#endif
