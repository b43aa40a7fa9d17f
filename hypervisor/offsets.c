/* SPDX-License-Identifier: BSD-2-Clause */
/* What the assembly needs to know of the C structures: compiled to text, from which the build takes
 * offsets.h. */
#include <stddef.h>

#include "hypervisor/cpu/cpu.h"
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
    DEFINE(GPR_RAX, offsetof(struct vcpu, gpr[GPR_RAX]));
    DEFINE(GPR_RCX, offsetof(struct vcpu, gpr[GPR_RCX]));
    DEFINE(GPR_RDX, offsetof(struct vcpu, gpr[GPR_RDX]));
    DEFINE(GPR_RBX, offsetof(struct vcpu, gpr[GPR_RBX]));
    DEFINE(GPR_RBP, offsetof(struct vcpu, gpr[GPR_RBP]));
    DEFINE(GPR_RSI, offsetof(struct vcpu, gpr[GPR_RSI]));
    DEFINE(GPR_RDI, offsetof(struct vcpu, gpr[GPR_RDI]));
    DEFINE(GPR_R8, offsetof(struct vcpu, gpr[8]));
    DEFINE(GPR_R9, offsetof(struct vcpu, gpr[9]));
    DEFINE(GPR_R10, offsetof(struct vcpu, gpr[10]));
    DEFINE(GPR_R11, offsetof(struct vcpu, gpr[11]));
    DEFINE(GPR_R12, offsetof(struct vcpu, gpr[12]));
    DEFINE(GPR_R13, offsetof(struct vcpu, gpr[13]));
    DEFINE(GPR_R14, offsetof(struct vcpu, gpr[14]));
    DEFINE(GPR_R15, offsetof(struct vcpu, gpr[15]));
    DEFINE(VCPU_STACK, offsetof(struct vcpu, stack));
    DEFINE(VCPU_LAUNCHED, offsetof(struct vcpu, launched));
    DEFINE(PROCESS_STACK_END, offsetof(struct process, stack));
    DEFINE(PROCESS_USER_FRAME, offsetof(struct process, user_frame));
    DEFINE(PROCESS_RBX, offsetof(struct process, user_frame.rbx));
    DEFINE(PROCESS_RBP, offsetof(struct process, user_frame.rbp));
    DEFINE(PROCESS_R12, offsetof(struct process, user_frame.r12));
    DEFINE(PROCESS_R13, offsetof(struct process, user_frame.r13));
    DEFINE(PROCESS_R14, offsetof(struct process, user_frame.r14));
    DEFINE(PROCESS_R15, offsetof(struct process, user_frame.r15));
    DEFINE(PROCESS_RIP, offsetof(struct process, user_frame.rip));
    DEFINE(PROCESS_RFLAGS, offsetof(struct process, user_frame.rflags));
    DEFINE(PROCESS_RSP, offsetof(struct process, user_frame.rsp));
    _Static_assert(offsetof(struct vcpu, gpr) == 0, "switch.S takes the registers for the vCPU");
    _Static_assert(CPU_BLOCK_BYTES == CPU_BLOCK_SIZE, "layout.h and cpu.h agree");
}
