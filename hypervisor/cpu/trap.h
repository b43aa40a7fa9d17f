/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts that happen while the hypervisor or a process runs. */
#pragma once

#include <stdint.h>

#include "hypervisor/cpu/registers.h"

#define OPCODE_STI 0xfb
#define OPCODE_HLT 0xf4

/*
 * The host's own interrupts, high up: the local APIC serves the highest vector first. Exceptions
 * have the numbers of enum exception_vector.
 */
enum host_vector {
    VECTOR_FIRST_INTERRUPT = 32,
    VECTOR_DEVICE = 0x40,  /* the first of the devices': hypervisor/cpu/interrupt.h */
    VECTOR_MC_CAME = 0xd0, /* these two to itself: what came when no line could be written */
    VECTOR_NMI_CAME = 0xd8,
    VECTOR_KICK = 0xe0, /* another CPU has something for this one */
    VECTOR_TIMER = 0xe8,
    VECTOR_SPURIOUS = 0xff,
};

/* The registers of whoever was interrupted; the last five are what the processor pushes. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Fills the interrupt descriptor table; once. idt_load: on each CPU. */
void idt_init(void);
void idt_load(void);

/* Runs NMI handling as if an NMI had come, so that its IRET ends the blocking that a VM exit by NMI
 * leaves behind. */
static inline void trap_nmi(void)
{
    __asm__ volatile("int $2" : : : "memory");
}

/*
 * An NMI or a machine check may come behind STI, before the instruction that the shadow covers: a
 * HLT or a SYSEXIT that an interrupt must not precede, or its work would be forgotten. The return
 * from it would end the shadow, so STI is executed again.
 */
static inline void trap_repeat_sti(struct trap_frame *frame)
{
    if (frame->rflags & RFLAGS_IF && *(const uint8_t *)(frame->rip - 1) == OPCODE_STI) {
        frame->rip--;
        frame->rflags &= ~RFLAGS_IF;
    }
}

/* An interrupt comes there in an emulator only (docs/emulator.md): what HLT was to wait for has
 * been, and nobody would be woken for it. */
static inline void trap_skip_hlt(struct trap_frame *frame)
{
    if (__builtin_expect(*(const uint8_t *)frame->rip == OPCODE_HLT, 0))
        frame->rip++;
}

/* RDMSR; 0 where the CPU has no such MSR. */
uint64_t rdmsr_or_zero(uint32_t index);

/* Called by trap.S. The frame of ring 3 is its process's user_frame; for the others it is on the
 * stack. */
void trap_in_hypervisor(struct trap_frame *frame);
void __attribute__((noreturn)) trap_in_ring3(struct trap_frame *frame);

/* Calls the handler of an external interrupt and ends it at the local APIC. */
void interrupt_handle(uint8_t vector);

/* Goes (back) to ring 3 with all of frame's registers. */
void __attribute__((noreturn)) trap_return(struct trap_frame *frame);

/* backtrace.c: a panic for an exception of ring 0; and for panic_tell, what follows the frame
 * pointers, as long as they stay on this CPU's stacks. Addresses are bare; `lintel run` names them.
 */
void __attribute__((noreturn)) panic_trap(const struct trap_frame *frame);
void backtrace_tell(uint64_t rbp);

/* "#GP", "#PF", ... for vectors below 32. */
const char *exception_name(uint64_t vector);
