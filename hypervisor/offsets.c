/* SPDX-License-Identifier: BSD-2-Clause */
/* What the assembly needs to know of the C structures: compiled to text, from which the build takes
 * offsets.h, of assembler symbols. */
#include <stddef.h>

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/gdt.h"
#include "hypervisor/cpu/layout.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/process/process.h"
#include "hypervisor/vm/vcpu.h"

#define DEFINE(name, value) __asm__("\n@@ " #name " %0" : : "i"(value))

void offsets(void);

void offsets(void)
{
    DEFINE(TRAP_CS, offsetof(struct trap_frame, cs));
    DEFINE(TRAP_VECTOR, offsetof(struct trap_frame, vector));
    DEFINE(TRAP_VECTOR_NMI, VECTOR_NMI);
    DEFINE(TRAP_VECTOR_DF, VECTOR_DF);
    DEFINE(TRAP_VECTOR_MC, VECTOR_MC);
    DEFINE(SELECTOR_KERNEL_DATA, SELECTOR_KERNEL_DATA);
    DEFINE(VCPU_STACK, offsetof(struct vcpu, stack));
    DEFINE(VCPU_LAUNCHED, offsetof(struct vcpu, launched));
    DEFINE(PROCESS_SELF, PROCESS_SELF);
    DEFINE(PROCESS_STACK_END, offsetof(struct process, stack));
    DEFINE(PROCESS_USER_FRAME, offsetof(struct process, user_frame));
    DEFINE(PROCESS_rbx, offsetof(struct process, user_frame.rbx));
    DEFINE(PROCESS_rbp, offsetof(struct process, user_frame.rbp));
    DEFINE(PROCESS_r12, offsetof(struct process, user_frame.r12));
    DEFINE(PROCESS_r13, offsetof(struct process, user_frame.r13));
    DEFINE(PROCESS_r14, offsetof(struct process, user_frame.r14));
    DEFINE(PROCESS_r15, offsetof(struct process, user_frame.r15));
    DEFINE(PROCESS_RIP, offsetof(struct process, user_frame.rip));
    DEFINE(PROCESS_RFLAGS, offsetof(struct process, user_frame.rflags));
    DEFINE(PROCESS_RSP, offsetof(struct process, user_frame.rsp));
    _Static_assert(offsetof(struct vcpu, gpr) == 0, "switch.S takes the registers for the vCPU");
}
