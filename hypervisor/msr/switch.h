/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has the resident MSRs of this CPU (R30-R35): STAR, LSTAR, CSTAR, FMASK, KERNEL_GS_BASE,
 * TSC_AUX. Four strategies answer, each with the same verbs; the option msr-switch= picks one for
 * the whole run.
 *
 *   area         the VM-entry and VM-exit MSR areas switch the set on every transition
 *   eager        software does, on every exit and entry
 *   lazy         only when ring 3 or another vCPU needs the CPU, and then only what differs
 *   none-needed  as lazy, but ring 3 enters by SYSENTER, whose MSRs the VMCS switches: only vCPU to
 * vCPU
 *
 * All decisions are here; what touches a CPU is in the leaf functions at the end, which the model
 * test replaces.
 */
#ifndef MSR_SWITCH_H
#define MSR_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/msr/msr.h"

/* SDM volume 3, "VM-Exit Controls for MSRs". The areas are 16-byte aligned (R26). */
struct msr_area_entry {
    uint32_t index, reserved;
    uint64_t value;
} __attribute__((aligned(16)));

#define MSR_AREA_ENTRIES (MSR_RESIDENT_MAX + MSR_AREA_MAX)
_Static_assert(MSR_AREA_ENTRIES <= 512, "R26: what each CPU's IA32_VMX_MISC recommends at least");
#define MSR_SWAPS_MAX 4

/* What switching cost a vCPU. */
struct msr_counters {
    uint64_t writes, reads, skipped; /* WRMSR, RDMSR, and values that were right already (R32) */
};

/* An MSR in which a guest and ring 3 want different values. */
struct msr_swap {
    uint32_t index, place; /* place: in msr_cpu.held */
    uint64_t guest, host;
};

/* One vCPU's MSRs. */
struct msr_context {
    struct msr_file file;
    uint32_t swap_count;
    struct msr_swap swap[MSR_SWAPS_MAX];
    struct msr_counters counters;
    uint32_t area_count;
    struct msr_area_entry *guest_area; /* loaded at an entry, stored into at an exit */
    struct msr_area_entry *host_area;  /* loaded at an exit, the same MSRs in the same order */
};

/* One CPU's. */
struct msr_cpu {
    struct msr_context *owner; /* whose values the CPU holds; NULL: nobody's, and host is true */
    bool host;                 /* of the owner's swaps, ring 3's values are loaded */
    /* what the MSRs hold; KERNEL_GS_BASE only while the CPU has no owner */
    uint64_t held[MSR_RESIDENT_MAX];
};

enum msr_strategy {
#define MSR_STRATEGY(id, name) MSR_SWITCH_##id,
#include "hypervisor/msr/strategies.def"
#undef MSR_STRATEGY
    MSR_STRATEGY_COUNT
};

extern const char *const msr_strategy_names[MSR_STRATEGY_COUNT];

/* What the host wants in the resident MSRs that ring 3 uses or could read, and in EFER and PAT. */
struct msr_host {
    uint64_t star, lstar, fmask, tsc_aux;
    uint64_t efer, pat;
    bool has_tsc_aux;
};

/*
 * Picks the strategy, and loads the host's values. controls: what has VMCS fields on this CPU. Once
 * on each CPU, first of all, and with the same arguments.
 */
void msr_switch_init(struct msr_cpu *cpu, enum msr_strategy strategy, const struct msr_host *host,
                     const struct msr_controls *controls);

/* Whether ring 3 enters by SYSENTER. Then LSTAR can be a guest's while ring 3 runs: SYSCALL must be
 * off in the host. */
bool msr_switch_uses_sysenter(void);

/* Whether software has to switch on each exit and entry: then the next two are called there. */
bool msr_switch_each_exit(void);
void msr_switch_exit(struct msr_cpu *cpu, struct msr_context *c);
void msr_switch_entry(struct msr_cpu *cpu, struct msr_context *c);

/* Before an entry that does not come straight from an exit of the same vCPU. */
void msr_switch_to_guest(struct msr_cpu *cpu, struct msr_context *c);

/* Before ring 3, the monitor of c's VM; NULL: of a process that is no monitor. */
void msr_switch_to_monitor(struct msr_cpu *cpu, struct msr_context *c);

/* On the CPU where c's guest ran last, before it is entered on another one. */
void msr_switch_leave(struct msr_cpu *cpu, struct msr_context *c);

/* The guest that runs wrote a resident MSR, or one without a VMCS field; the value is checked and
 * in c->file. */
void msr_switch_written(struct msr_cpu *cpu, struct msr_context *c, const struct msr_row *row);

/* c->file has been set anew: what the CPU or the areas hold of it is void. On the CPU where c's
 * guest ran last. */
void msr_switch_reset(struct msr_cpu *cpu, struct msr_context *c);

/* Leaf functions. The last sets the counts of the three areas in the current VMCS. */
uint64_t msr_hardware_read(uint32_t index);
void msr_hardware_write(uint32_t index, uint64_t value);
void msr_hardware_area_count(uint32_t count);

#endif
