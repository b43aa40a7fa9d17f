/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX operation of this CPU: switching it on and off, and the instructions. */
#pragma once

#include <stdint.h>

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/vmx/caps.h"
#include "lib/vmcs.h"

/* What the CPU can do, and which controls were chosen from it. */
struct vmx {
    struct vmx_caps caps;
    struct vmx_controls controls;
    struct mitigation_facts flaws;
    uint32_t timer_shift; /* of the TSC, for the preemption timer */
};
extern struct vmx vmx;

/* Reads the capabilities into `vmx`. */
void vmx_probe(void);

/* Checks that the firmware allows VMX (R1) and chooses the controls (R10) without `hidden`, a bit
 * for each enum control_id; stops with a verdict if one is missing. From now on each CPU leaves VMX
 * operation at the end of the run, after VMCLEAR of each VMCS of its own (R4), and a panic prints
 * the current one. */
void vmx_choose_controls(uint64_t hidden);

/* Prints the table of controls, for the option caps, and ends the run. */
void __attribute__((noreturn)) vmx_print_caps(uint64_t hidden);

/* Enters VMX operation (R1, R2, R3), on each CPU; stops with a verdict where the CPU or its
 * firmware does not allow it. */
void vmx_enable(void);

/* The fields of the current VMCS, by enum vmcs_index; the host's are 0. */
void vmcs_read_values(uint64_t field[VMCS_FIELD_COUNT]);

/* Puts such fields back, but for what only the processor writes. */
void vmcs_write_values(const uint64_t field[VMCS_FIELD_COUNT]);

/* A VMCS on a page of its own, with the revision in it, cleared (R5); it is to run on the CPU
 * of this block, which
 * clears it at the end. Returns its physical address. */
uint64_t vmcs_new(struct cpu_block *block);

void vmcs_clear(uint64_t phys);
void vmcs_load(const uint64_t *phys);

/* Invalidates all that is cached of a VPID (R37). */
void vmx_flush_vpid(uint16_t vpid);

/* Likewise, of all guests' memory. */
void vmx_flush_ept(void);

/* Called when an instruction failed (R8): panics with the error in words. */
void __attribute__((noreturn)) vmx_instruction_failed(const char *instruction, uint64_t operand);

/* Not checked (R8): there is a current VMCS wherever this is used, and each field is one that its
 * controls imply. */
static inline uint64_t vmread(enum vmcs_field field)
{
    uint64_t value;

    __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"((uint64_t)field) : "cc");
    return value;
}

static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
    __asm__ goto("vmwrite %0, %1\n\t"
                 "jbe %l2"
                 :
                 : "r"(value), "r"((uint64_t)field)
                 : "cc", "memory"
                 : failed);
    return;
failed:
    vmx_instruction_failed("VMWRITE", field);
}
