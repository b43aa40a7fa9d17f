/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state that stays in the CPU while its owner does (R11, R31, R34, R35): the vector registers,
 * XCR0, the debug registers and CR2; and the syscall MSRs, by the strategy that msr/switch.h
 * describes. Exits and entries do not touch it.
 */
#pragma once

#include <stdint.h>

#include "hypervisor/msr/switch.h"

struct vcpu;

/* x87, SSE, AVX, the three of AVX-512, PKRU: all in the low half. */
#define XCR0_SWITCHED (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU)

/* What has no VMCS field and no row in the MSR table; valid while the CPU holds another's. */
struct resident_state {
    void *fpu;         /* an XSAVE area, or FXSAVE's */
    uint64_t xcr0;     /* the guest's own */
    uint64_t xcr0_all; /* what the guest may set, and the area has room for; 0: no XSAVE */
    uint64_t dr[4], dr6;
};

/* As after a reset; allocates the area at the first time. */
void resident_reset(struct resident_state *state);

/* Loads the host's values, by the chosen strategy; once for each CPU, before the first reset. */
void resident_init(enum msr_strategy strategy);

/* Before an entry that comes from a monitor or the scheduler: all that the CPU holds is v's. */
void resident_to_guest(struct vcpu *v);

/* Before the monitor's ring 3: the host's syscall MSRs, and nothing of a VM but v's own that the
 * monitor could read. */
void resident_to_monitor(struct vcpu *v);

/* Ring 3 is v's monitor, and wants the vector registers of its guest: they are in the CPU, and ring
 * 3 may use them until another ring 3 runs. */
void resident_lend(struct vcpu *v);

/* v's PKRU; 0 where the CPU has none. v's monitor runs. */
uint32_t resident_pkru(struct vcpu *v);

/* INIT: its debug registers are as after a reset, and all else stays. v runs. */
void resident_init_debug(struct vcpu *v);

/* v's state has been set anew (after a reset); what the CPU holds of it is forgotten. */
void resident_forget(struct vcpu *v);
