/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual machine: its memory, its vCPUs, its monitor. Made at boot from a row of the plan; never
 * freed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/gate.h"
#include "abi/plan.h"
#include "hypervisor/process/process.h"
#include "hypervisor/vm/agree.h"
#include "hypervisor/vm/cpuid.h"
#include "hypervisor/vm/doorbell.h"
#include "hypervisor/vm/vcpu.h"
#include "hypervisor/vmx/ept.h"
#include "lib/phys_map.h"

struct vm {
    const struct plan_vm *plan;
    uint32_t extent_count;
    struct process_extent extents[PROCESS_EXTENTS]; /* sizes are multiples of PLAN_MEMORY_UNIT */
    struct ept ept;
    uint8_t *snapshot; /* vm/snapshot.h; NULL: the plan wants none */
    struct doorbells bells;
    struct cpuid_table cpuid;       /* as it was at GATE_START in */
    struct cpuid_table *cpuid_page; /* its monitor's */
    struct process process; /* its monitor; its thread is the vCPU that has it, or had it last */
    struct agree agree;     /* what its vCPUs agree on */
    uint64_t timer;         /* for monitor_set_timer */
    struct vcpu *vcpus[PLAN_MAX_VCPUS]; /* plan->vcpus of them; the first one gets the events */
    const struct vlapic *lapics[PLAN_MAX_VCPUS]; /* theirs */
};

/* Of the hypervisor's command line. */
struct vm_options {
    uint32_t counters;    /* print when each VM starts, and what its exits were when it stops */
    uint32_t keep_memory; /* clear-memory=no: guests may see what was in the RAM before, as in a new
                         emulator's */
};
extern struct vm_options vm_options;

/* All VMs of the plan, in its order. */
extern struct vm vms[PLAN_MAX_VMS];

/* Gives the VM of a plan row its memory, taken from `free`, EPT, vCPUs and monitor; stops with a
 * verdict if it cannot. */
void vm_create(const struct plan_vm *plan, struct phys_map *free);

/* The host-physical address of a guest-physical one, or PHYS_MAP_NONE where there is no memory. */
uint64_t vm_translate(const struct vm *vm, uint64_t gpa);

/* The features whose MSRs guests have: what CPUID offers, if their monitors do as they are told. */
uint32_t vm_msr_features(void);

/* process_log for the VM's own process. */
#define vm_log(vm, ...) process_log(&(vm)->process, __VA_ARGS__)

/* The VM has ended; it never runs again. When it was the last, the run ends. */
void vm_stop(struct vm *vm, bool fault, const char *why);
