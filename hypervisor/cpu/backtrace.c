/* SPDX-License-Identifier: BSD-2-Clause */
/* What a panic tells of the CPU: where it was, and how it came there. */
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"

#define BACKTRACE_DEPTH 24

void backtrace_tell(uint64_t rbp)
{
    uint64_t start = (uint64_t)this_cpu(), end = start + CPU_BLOCK_SIZE - 16;

    for (int i = 0; i < BACKTRACE_DEPTH && rbp >= start && rbp <= end && is_aligned(rbp, 8); i++) {
        const uint64_t *frame = (const uint64_t *)rbp;
        log_line("  from %016lx", frame[1]);
        rbp = frame[0];
    }
}

static void print_frame(const struct trap_frame *f)
{
    log_line("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_line("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    log_line("  r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    log_line("  r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    log_line("  rflags %08lx cs %02lx ss %02lx cr0 %08lx cr2 %016lx cr3 %lx cr4 %lx", f->rflags,
             f->cs, f->ss, read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

void panic_trap(const struct trap_frame *frame)
{
    panic_begin();
    log_line("panic: %s in the hypervisor, error code 0x%lx", exception_name(frame->vector),
             frame->error_code);
    log_line("  at   %016lx", frame->rip);
    print_frame(frame);
    panic_finish(frame->rbp);
}
