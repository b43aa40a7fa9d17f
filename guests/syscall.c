/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYSCALL, SYSENTER and SWAPGS with programs in ring 3 (R31, R33, R34).
 *
 * The programs (syscall_entry.S) make calls, and the kernel's entries count them. The MSRs behind
 * the calls must hold over exits that somebody else answers, so the entries use ports as they go.
 */
#include "guests/syscall.h"

#include "guests/lib/guest.h"
#include "lib/string.h"

/* Below 4 GiB, for 32-bit programs. */
#define USER_TEXT  0xb0000000ULL
#define USER_STACK 0xb0100000ULL
#define FMASK      (RFLAGS_IF | RFLAGS_TF | 0x400)
#define KERNEL_GS  0xffff800000001000ULL
#define USER_GS    0x0000123456789000ULL
#define GENU       0x756e6547

extern const char user_text[], user_text_end[];
extern const char user_syscall[], user_sysenter[], user_compat_sysenter[], user_compat_syscall[],
    user_xsetbv[], user_cpuid[];
extern const char syscall_entry[], sysenter_entry[], user_return[];
extern uint64_t log_calls, log_cs, log_ss, log_flags, log_stack, log_kernel_gs, log_user_cs,
    log_user_ss;
extern uint64_t user_kernel_stack;
uint64_t user_run(uint64_t rip, uint64_t rsp);

#define X(name, instruction, vector) extern const char user_##name[];
REFUSED_PROGRAMS(X)
#undef X

static const struct {
    const char *program, *instruction;
    unsigned vector;
} refused[] = {
#define X(name, instruction, vector) {user_##name, instruction, vector},
    REFUSED_PROGRAMS(X)
#undef X
};

static uint8_t interrupt_stack_memory[0x2000] __attribute__((aligned(16)));
static uint8_t sysenter_stack[0x1000] __attribute__((aligned(16)));

static void map_user(void)
{
    for (uint64_t at = 0; at < (uint64_t)(user_text_end - user_text); at += PAGE_SIZE) {
        void *page = page_alloc();
        memcpy(page, user_text + at, PAGE_SIZE);
        map_page(USER_TEXT + at, (uintptr_t)page, PAGE_USER);
    }
    map_page(USER_STACK, (uintptr_t)page_alloc(), PAGE_USER | PAGE_WRITE);
}

static void set_msrs(void)
{
    wrmsr(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) | EFER_SCE);
    wrmsr(MSR_IA32_STAR, (uint64_t)USER_CODE32 << 48 | (uint64_t)KERNEL_CODE << 32);
    wrmsr(MSR_IA32_LSTAR, (uintptr_t)syscall_entry);
    wrmsr(MSR_IA32_FMASK, FMASK);
    wrmsr(MSR_IA32_SYSENTER_CS, KERNEL_CODE);
    wrmsr(MSR_IA32_SYSENTER_ESP, (uintptr_t)sysenter_stack + sizeof(sysenter_stack));
    wrmsr(MSR_IA32_SYSENTER_EIP, (uintptr_t)sysenter_entry);
    wrmsr(MSR_IA32_GS_BASE, USER_GS);
    wrmsr(MSR_IA32_KERNEL_GS_BASE, KERNEL_GS);
}

static uint64_t run(const char *program)
{
    log_calls = 0;
    return user_run(USER_TEXT + (uint64_t)(program - user_text), USER_STACK + PAGE_SIZE - 16);
}

static uint64_t fault_vector;

/* A fault in a program ends it. */
static void on_user_fault(struct interrupt_frame *frame)
{
    fault_vector = frame->vector;
    frame->rip = (uintptr_t)user_return;
    frame->cs = KERNEL_CODE;
    frame->ss = KERNEL_DATA;
    frame->rsp = user_kernel_stack;
}

static void test_syscall(void)
{
    is(run(user_syscall), CALLS, "a program makes its SYSCALLs and sees each answer");
    is(log_calls, CALLS, "each SYSCALL arrived");
    is(log_cs, KERNEL_CODE, "SYSCALL loads CS from STAR");
    is(log_ss, KERNEL_DATA, "SYSCALL loads SS from STAR");
    is(log_flags & FMASK, 0, "SYSCALL clears the flags of FMASK");
    is(log_user_cs, USER_CODE, "SYSRET loads CS from STAR");
    is(log_user_ss, USER_DATA, "SYSRET loads SS from STAR");
    is(log_kernel_gs, KERNEL_GS, "SWAPGS brought the kernel's GS base");
    is(rdmsr(MSR_IA32_GS_BASE), USER_GS, "SWAPGS brought the program's GS base back");
    is(rdmsr(MSR_IA32_KERNEL_GS_BASE), KERNEL_GS, "KERNEL_GS_BASE is the kernel's again");
}

static void test_sysenter(void)
{
    is(run(user_sysenter), CALLS, "a 64-bit program makes its SYSENTERs and sees each answer");
    is(log_calls, CALLS, "each SYSENTER arrived");
    is(log_cs, KERNEL_CODE, "SYSENTER loads CS from SYSENTER_CS");
    is(log_ss, KERNEL_DATA, "SYSENTER loads SS from SYSENTER_CS");
    is(log_stack, rdmsr(MSR_IA32_SYSENTER_ESP), "SYSENTER loads RSP from SYSENTER_ESP");
    is(log_user_cs, USER_CODE, "SYSEXIT loads CS");
    is(log_user_ss, USER_DATA_SYSEXIT, "SYSEXIT loads SS");
}

/* R33: SYSENTER works from compatibility mode, SYSCALL there is undefined on Intel's CPUs. */
static void test_compatibility(void)
{
    is(run(user_compat_sysenter), CALLS,
       "a 32-bit program makes its SYSENTERs and sees each answer");
    is(log_calls, CALLS, "each SYSENTER of the 32-bit program arrived");
    run(user_compat_syscall);
    is(fault_vector, VECTOR_UD, "SYSCALL from compatibility mode is undefined");
}

static void is_refused(const char *program, unsigned vector, const char *name)
{
    fault_vector = NO_TRAP;
    run(program);
    is(fault_vector, vector, "ring 3 is refused: %s", name);
}

/* Its value is one that ring 0 could load. */
static void test_xsetbv(void)
{
    uint32_t low, high;

    is_refused(user_xsetbv, VECTOR_UD, "XSETBV without CR4.OSXSAVE");
    if (!has_xsave())
        return;
    write_cr4(read_cr4() | CR4_OSXSAVE);
    is_no_trap(try_xsetbv(0, 1), "ring 0 loads XCR0");
    is_refused(user_xsetbv, VECTOR_GP, "XSETBV");
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    is(low, 1, "XCR0 is what it was");
    write_cr4(read_cr4() & ~CR4_OSXSAVE);
}

static void test_refused(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++)
        is_refused(refused[i].program, refused[i].vector, refused[i].instruction);
    is(run(user_cpuid), GENU, "ring 3 may execute CPUID");
    wrmsr(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) & ~EFER_SCE);
    is_refused(user_syscall, VECTOR_UD, "SYSCALL without EFER.SCE");
    wrmsr(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) | EFER_SCE);
    wrmsr(MSR_IA32_SYSENTER_CS, 0);
    is_refused(user_sysenter, VECTOR_GP, "SYSENTER without SYSENTER_CS");
    wrmsr(MSR_IA32_SYSENTER_CS, KERNEL_CODE);
    test_xsetbv();
}

void guest_main(void)
{
    interrupt_stack((uintptr_t)interrupt_stack_memory + sizeof(interrupt_stack_memory));
    interrupt_handle(VECTOR_GP, on_user_fault);
    interrupt_handle(VECTOR_PF, on_user_fault);
    interrupt_handle(VECTOR_UD, on_user_fault);
    map_user();
    set_msrs();
    test_syscall();
    test_sysenter();
    test_compatibility();
    test_refused();
    test_syscall();
}
