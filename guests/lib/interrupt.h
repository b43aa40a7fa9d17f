/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts and exceptions: who handles which vector. */
#pragma once

#include <stdint.h>

/* What interrupt_stubs leave on the stack; a handler may change it. */
struct interrupt_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};

typedef void interrupt_handler(struct interrupt_frame *frame);

/* Loads GDT, TSS and IDT. Called before guest_main. */
void interrupt_init(void);

/*
 * Takes the vector for a handler, or gives it back with NULL. A vector without one is matched with
 * the TRY in whose instruction it arose (trap.h); all else ends the test.
 */
void interrupt_handle(uint8_t vector, interrupt_handler *handler);

/* The stack for interrupts that come while ring 3 runs. */
void interrupt_stack(uint64_t top);
