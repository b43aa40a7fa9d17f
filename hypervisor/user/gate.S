/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate: SYSCALL from a monitor, and SYSRET back. Interrupts are off; RSP is still the monitor's, and is replaced
 * before anything is pushed. There is no SWAPGS: the CPU's block is at a fixed address.
 */
#include "hypervisor/cpu/layout.h"
#include "offsets.h"

        .macro  gate_body
        movq    %rbx, VCPU_USER_RBX(%r8)
        movq    %rbp, VCPU_USER_RBP(%r8)
        movq    %r12, VCPU_USER_R12(%r8)
        movq    %r13, VCPU_USER_R13(%r8)
        movq    %r14, VCPU_USER_R14(%r8)
        movq    %r15, VCPU_USER_R15(%r8)
        movq    %rax, %rcx
        call    gate_dispatch                   /* int64_t gate_dispatch(a, b, c, call, vcpu) */
        movq    boot_cpu + CPU_VCPU(%rip), %rdi
        movq    %rax, %rsi
        .endm

        .text
        .balign 64
        .global monitor_gate_syscall
        .type   monitor_gate_syscall, @function
monitor_gate_syscall:
        movq    boot_cpu + CPU_VCPU(%rip), %r8
        movq    %rsp, VCPU_USER_RSP(%r8)
        leaq    boot_cpu + CPU_BLOCK_BYTES(%rip), %rsp
        movq    %rcx, VCPU_USER_RIP(%r8)
        movq    %r11, VCPU_USER_RFLAGS(%r8)
        gate_body
        jmp     return_by_sysret
        .size   monitor_gate_syscall, . - monitor_gate_syscall

        /*
         * SYSENTER loads RSP, but leaves all flags except IF as the monitor had them: DF, NT and AC would change what
         * ring 0 does; TF traps before the first instruction here (trap_in_hypervisor ends that). SYSEXIT faults in ring 0
         * on an address that is not canonical, so those are cut.
         */
        .balign 64
        .global monitor_gate_sysenter
        .type   monitor_gate_sysenter, @function
monitor_gate_sysenter:
        pushq   $2
        popfq
        movq    boot_cpu + CPU_VCPU(%rip), %r8
        shlq    $17, %rcx
        shrq    $17, %rcx
        shlq    $17, %r11
        shrq    $17, %r11
        movq    %rcx, VCPU_USER_RSP(%r8)
        movq    %r11, VCPU_USER_RIP(%r8)
        gate_body
        jmp     return_by_sysexit
        .size   monitor_gate_sysenter, . - monitor_gate_sysenter

        /* noreturn void monitor_return(struct vcpu *, int64_t result) */
        .balign 16
        .global monitor_return
monitor_return:
        cmpb    $0, monitor_sysenter(%rip)
        jne     return_by_sysexit

        .macro  restore_monitor
        movq    %rsi, %rax
        movq    VCPU_USER_RBX(%rdi), %rbx
        movq    VCPU_USER_RBP(%rdi), %rbp
        movq    VCPU_USER_R12(%rdi), %r12
        movq    VCPU_USER_R13(%rdi), %r13
        movq    VCPU_USER_R14(%rdi), %r14
        movq    VCPU_USER_R15(%rdi), %r15
        .endm

        .macro  clear_scratch                   /* nothing of ring 0 leaks */
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %r8d, %r8d
        xorl    %r9d, %r9d
        xorl    %r10d, %r10d
        .endm

        /* RCX is canonical: ring 3 executes nothing but its image, which ends far below the end of its half (monitor.c). */
return_by_sysret:
        restore_monitor
        movq    VCPU_USER_RIP(%rdi), %rcx
        movq    VCPU_USER_RFLAGS(%rdi), %r11
        movq    VCPU_USER_RSP(%rdi), %rsp
        xorl    %edx, %edx
        clear_scratch
        sysretq

return_by_sysexit:
        restore_monitor
        movq    VCPU_USER_RIP(%rdi), %rdx
        movq    VCPU_USER_RSP(%rdi), %rcx
        xorl    %r11d, %r11d
        clear_scratch
        sti                                     /* takes effect behind SYSEXIT */
        sysexitq
