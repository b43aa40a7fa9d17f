/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has the resident MSRs of this CPU (R30-R35): STAR, LSTAR, CSTAR, FMASK, KERNEL_GS_BASE,
 * TSC_AUX, SPEC_CTRL, and of CET those without VMCS fields. The ways to switch them have the same
 * verbs, and differ in which MSRs these move (abi/strategies.def); the option msr-switch= picks one
 * for the whole run.
 *
 *   area         the VM-entry and VM-exit MSR areas switch the set on every transition
 *   eager        software does, on every exit and entry
 *   lazy         only when ring 3 or another vCPU needs the CPU, and then only what differs
 *   none-needed  as lazy, but ring 3 enters by SYSENTER, whose MSRs the VMCS switches: only vCPU to
 *                vCPU
 *   list         as none-needed, but then all at once, by RDMSRLIST and WRMSRLIST, on a CPU that
 *                has them
 *
 * Sets of MSRs are words, bit n for slot n. What touches a CPU is in cpu/instructions.h and
 * in the leaf function at the end, which the model test replaces.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/msr/area.h"
#include "hypervisor/msr/msr.h"

/* What switching cost a vCPU. */
struct msr_counters {
    /* WRMSR and WRMSRLIST, RDMSR and RDMSRLIST, and values that were right already (R32) */
    uint64_t writes, reads, skipped;
};

/* One vCPU's MSRs; and the host's, to which a CPU belongs that is no vCPU's. */
struct msr_context {
    struct msr_file file;
    struct msr_counters counters;
    struct msr_areas areas;
};

/* One CPU's. */
struct msr_cpu {
    struct msr_context *owner; /* whose values the CPU holds, */
    uint64_t host;             /* but for this set: the host's, for ring 3 */
};

enum msr_strategy {
#define MSR_STRATEGY(id, ...) MSR_SWITCH_##id,
#include "abi/strategies.def"
#undef MSR_STRATEGY
    MSR_STRATEGY_COUNT
};

/*
 * Picks the strategy, and loads the host's values: of the resident MSRs, and EFER and PAT; features
 * says which there are. controls: enum msr_control, what has VMCS fields on this CPU. Once on each
 * CPU, first of all, and with the same arguments.
 */
void msr_switch_init(struct msr_cpu *cpu, enum msr_strategy strategy, const struct msr_file *host,
                     uint32_t controls);

/* Whether the CPU must have RDMSRLIST and WRMSRLIST. */
bool msr_switch_uses_lists(enum msr_strategy strategy);

/* Whether ring 3 enters by SYSENTER. Then LSTAR can be a guest's while ring 3 runs: SYSCALL must be
 * off in the host. */
bool msr_switch_uses_sysenter(enum msr_strategy strategy);

/* Whether software has to switch on each exit and entry: then the next two are called there. */
bool msr_switch_each_exit(void);
void msr_switch_exit(struct msr_cpu *cpu);
void msr_switch_entry(struct msr_cpu *cpu);

/* Before an entry that does not come straight from an exit of the same vCPU. */
void msr_switch_to_guest(struct msr_cpu *cpu, struct msr_context *c);

/* Before ring 3, the monitor of c's VM; NULL: of a process that is no monitor. */
void msr_switch_to_monitor(struct msr_cpu *cpu, const struct msr_context *c);

/* On the CPU where c's guest ran last, before it is entered on another one. */
void msr_switch_leave(struct msr_cpu *cpu, struct msr_context *c);

/* The guest that runs has a new value of an MSR that is resident or has no VMCS field; it is
 * checked. */
void msr_switch_write(struct msr_cpu *cpu, struct msr_context *c, unsigned slot, uint64_t value);

/* All values become those after a reset. On the CPU where c's guest ran last, which forgets it. */
void msr_switch_reset(struct msr_cpu *cpu, struct msr_context *c, uint32_t features,
                      uint32_t physical_width);

/* Those become it that INIT resets. On the CPU where c's guest ran last, which forgets it. */
void msr_switch_after_init(struct msr_cpu *cpu, struct msr_context *c);

/* Whether the MSR areas have it. */
bool msr_switch_is_in_area(const struct msr_row *row);

/* A leaf function: sets the counts of the three areas in the current VMCS. */
void msr_hardware_area_count(uint32_t count);
