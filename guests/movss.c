/* SPDX-License-Identifier: BSD-2-Clause */
/* Single steps behind MOV SS, which holds them back for one instruction, and that one exits or
 * traps by itself (R43). */
#include "guests/lib/guest.h"

#define DR6_BS BIT(14)

static unsigned debug_count;
static uint64_t debug_rip, debug_dr6;

static void on_debug(struct interrupt_frame *frame)
{
    debug_count++;
    debug_rip = frame->rip;
    debug_dr6 = read_dr6();
    frame->rflags &= ~RFLAGS_TF;
    write_dr6(0);
}

/* Sets TF, loads SS with what it has, and runs one instruction; the trap comes behind that. */
#define STEP_BEHIND_MOV_SS(instruction, name)                                                      \
    do {                                                                                           \
        uint64_t behind;                                                                           \
        debug_count = 0;                                                                           \
        __asm__ volatile(                                                                          \
            "movl %%ss, %%ecx; pushfq; orq %[tf], (%%rsp); leaq 1f(%%rip), %%r8;"                  \
            "movq %%r8, %[at]; xorl %%eax, %%eax; popfq; movl %%ecx, %%ss;" instruction "; 1: nop" \
            : [at] "=m"(behind)                                                                    \
            : [tf] "i"(RFLAGS_TF)                                                                  \
            : "rax", "rbx", "rcx", "rdx", "r8", "cc", "memory");                                   \
        ok(debug_count == 1 && debug_rip == behind, "a single step behind MOV SS and " name);      \
        if (debug_count != 1 || debug_rip != behind)                                               \
            diag("count %u, RIP 0x%lx, expected 0x%lx", debug_count, debug_rip, behind);           \
    } while (0)

void guest_main(void)
{
    interrupt_handle(VECTOR_DB, on_debug);
    STEP_BEHIND_MOV_SS("nop", "NOP");
    STEP_BEHIND_MOV_SS("cpuid", "CPUID");
    STEP_BEHIND_MOV_SS("outb %%al, $0x80", "OUT");
    STEP_BEHIND_MOV_SS("inb $0x71, %%al", "IN");
    STEP_BEHIND_MOV_SS("movl 0xd0000000, %%eax", "a load from device memory");
    STEP_BEHIND_MOV_SS(".byte 0xf1", "INT1");
    ok(!(debug_dr6 & DR6_BS), "INT1 is no single step to DR6");
}
