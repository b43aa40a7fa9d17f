/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYSCALL, SYSRET, SYSENTER and SYSEXIT against the SDM's own words (volume 2), flag by flag (R30,
 * R31, R33), MSR accesses from ring 3, and SWAPGS in every order with exits and writes (R34). Each
 * test goes to ring 3 and back once.
 */
#include "guests/special_calls.h"

#include "guests/lib/guest.h"
#include "lib/string.h"

#define USER_TEXT    0xb0000000ULL /* below 4 GiB, for 32-bit programs */
#define USER_STACK   0xb0100000ULL
#define USER_TOP     (USER_STACK + PAGE_SIZE - 16)
#define GS_ONE       0xffff800000001000ULL
#define GS_TWO       0x00007fff00002000ULL
#define UNCANONICAL  0x0000800000000000ULL
#define PATTERN      0x5a5a12345678a5a5ULL
#define TIMER_VECTOR 0x41

#define FLAGS_FIXED 0x2ULL
/* All that IRET to ring 3 can set without an event: not TF (with it Bochs traps behind SYSCALL even
 * if FMASK clears it), VIF and VIP. */
#define FLAGS_USER 0x247ed7ULL
/* SDM volume 2, "SYSRET": what it takes from R11. */
#define SYSRET_FLAGS 0x3c7fd7ULL

struct ring3 {
    uint64_t rip, cs, rflags, rsp, ss, rax, rcx, rdx, r11, r8, r9, r10, how;
};

extern struct ring3 ring3;
extern const char programs[], programs_end[], back_by_syscall[], back_by_sysenter[],
    back_by_fault[];
extern const char program_syscall[], program_sysenter[], program_rdmsr[], program_wrmsr[],
    program_xsetbv[], program_report[], program_report32[], program_syscall32[],
    program_sysenter32[];
void go_iret(void);
void go_sysretq(void);
void go_sysretl(void);
void go_sysexitq(void);
void go_sysexitl(void);

_Static_assert(offsetof(struct ring3, how) == RING3_HOW, "the assembly has these offsets");

static uint8_t interrupt_stack_memory[0x2000] __attribute__((aligned(16)));
static uint8_t sysenter_stack[0x1000] __attribute__((aligned(16)));
static struct interrupt_frame fault;

static uint64_t address(const char *program)
{
    return USER_TEXT + (uint64_t)(program - programs);
}

static void on_fault(struct interrupt_frame *frame)
{
    fault = *frame;
    frame->rip = (uintptr_t)back_by_fault;
    frame->cs = KERNEL_CODE;
    frame->ss = KERNEL_DATA;
    frame->rflags = FLAGS_FIXED;
}

/* Runs a program in ring 3 with these flags; ring3 then has what the way back found. */
static void run(const char *program, uint64_t cs, uint64_t flags)
{
    fault.vector = NO_TRAP;
    ring3.rip = address(program);
    ring3.cs = cs;
    ring3.ss = USER_DATA;
    ring3.rsp = USER_TOP;
    ring3.rflags = flags;
    go_iret();
}

/* A way into ring 3 that must fail: the fault is the kernel's, and so is its stack. */
static void is_refused(void (*go)(void), const char *name)
{
    fault.vector = NO_TRAP;
    ring3.rsp = USER_TOP;
    go();
    ok(ring3.how == BACK_FAULT && fault.vector == VECTOR_GP && fault.error_code == 0 &&
           fault.cs == KERNEL_CODE && fault.rsp == USER_TOP,
       "%s gives #GP(0) in ring 0", name);
}

static void set_msrs(void)
{
    wrmsr(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) | EFER_SCE);
    wrmsr(MSR_IA32_STAR, (uint64_t)USER_CODE32 << 48 | (uint64_t)KERNEL_CODE << 32);
    wrmsr(MSR_IA32_LSTAR, (uintptr_t)back_by_syscall);
    wrmsr(MSR_IA32_FMASK, 0);
    wrmsr(MSR_IA32_SYSENTER_CS, KERNEL_CODE);
    wrmsr(MSR_IA32_SYSENTER_ESP, (uintptr_t)sysenter_stack + sizeof(sysenter_stack));
    wrmsr(MSR_IA32_SYSENTER_EIP, (uintptr_t)back_by_sysenter);
}

static bool syscall_masks(uint64_t mask)
{
    uint64_t flags = FLAGS_USER | FLAGS_FIXED;

    wrmsr(MSR_IA32_FMASK, mask);
    run(program_syscall, USER_CODE, flags);
    if (ring3.how == BACK_SYSCALL && ring3.r11 == flags &&
        ring3.rflags == ((flags & ~mask) | FLAGS_FIXED))
        return true;
    diag("FMASK 0x%lx: back by %lu, RFLAGS 0x%lx, R11 0x%lx", mask, ring3.how, ring3.rflags,
         ring3.r11);
    return false;
}

static void test_syscall(void)
{
    bool all = true;

    ok(syscall_masks(0), "FMASK 0: SYSCALL leaves all flags, and R11 has them");
    is(ring3.rcx, address(program_syscall) + 2, "SYSCALL: RCX is the next RIP");
    is(ring3.rsp, USER_TOP, "SYSCALL leaves RSP");
    is(ring3.cs << 16 | (ring3.ss & 0xffff), KERNEL_CODE << 16 | KERNEL_DATA, "SYSCALL: CS and SS");
    for (unsigned bit = 0; bit < 32; bit++)
        all = syscall_masks(BIT(bit)) && all;
    ok(all, "SYSCALL clears the flag of each single bit of FMASK, and R11 has it");
    for (unsigned bit = 0; bit < 32; bit++)
        all = syscall_masks((uint32_t)~BIT(bit)) && all;
    ok(all, "SYSCALL keeps the flag of each single bit that FMASK has not");
    wrmsr(MSR_IA32_STAR, (uint64_t)USER_CODE32 << 48 | (uint64_t)(KERNEL_CODE | 3) << 32);
    run(program_syscall, USER_CODE, FLAGS_FIXED);
    is(ring3.cs, KERNEL_CODE, "SYSCALL ignores the privilege level in STAR's kernel selector");
    set_msrs();
}

/* SYSRET with R11 = flags: what ring 3 finds. */
static uint64_t sysret_flags(uint64_t flags)
{
    ring3.rcx = address(program_report);
    ring3.r11 = flags;
    ring3.rsp = USER_TOP;
    go_sysretq();
    return ring3.how == BACK_SYSCALL ? ring3.r10 : ~0ULL;
}

static void test_sysret(void)
{
    bool all = true;

    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t expected = (BIT(bit) & SYSRET_FLAGS) | FLAGS_FIXED, got;
        if (bit == 8)
            continue; /* TF */
        got = sysret_flags(BIT(bit));
        if (got == expected)
            continue;
        diag("R11 bit %u: RFLAGS 0x%lx", bit, got);
        all = false;
    }
    ok(all, "SYSRET takes from R11 the flags that it should, each alone");
    is(sysret_flags(FLAGS_USER), FLAGS_USER, "SYSRET takes many flags at once");
    is(ring3.r8 & 0xffff, USER_CODE, "SYSRET: CS");
    is(ring3.r9 & 0xffff, USER_DATA, "SYSRET: SS");
    wrmsr(MSR_IA32_STAR, (uint64_t)(USER_CODE32 & ~3) << 48 | (uint64_t)KERNEL_CODE << 32);
    sysret_flags(0);
    is(ring3.r8 & 0xffff, USER_CODE, "SYSRET: CS has privilege level 3 whatever STAR says");
    is(ring3.r9 & 0xffff, USER_DATA, "SYSRET: SS has privilege level 3 whatever STAR says");
    set_msrs();
    ring3.rcx = address(program_report32);
    ring3.r11 = 0;
    ring3.rsp = USER_TOP;
    go_sysretl();
    is(ring3.how, BACK_SYSENTER, "SYSRET to 32 bits arrives in a 32-bit program");
    is(ring3.rax, USER_CODE32, "SYSRET to 32 bits: CS");
    is(ring3.rcx, USER_DATA, "SYSRET to 32 bits: SS");
    ring3.rcx = UNCANONICAL;
    is_refused(go_sysretq, "SYSRET to an address that is not canonical");
}

static void test_sysenter(const char *program, uint64_t cs, const char *from)
{
    uint64_t flags = FLAGS_USER | FLAGS_FIXED;

    run(program, cs, flags);
    is(ring3.how, BACK_SYSENTER, "SYSENTER from %s arrives", from);
    is(ring3.rflags, flags & ~RFLAGS_IF, "SYSENTER from %s clears IF alone", from);
    is(ring3.rsp, rdmsr(MSR_IA32_SYSENTER_ESP), "SYSENTER from %s: RSP", from);
    is(ring3.cs << 16 | (ring3.ss & 0xffff), KERNEL_CODE << 16 | KERNEL_DATA,
       "SYSENTER from %s: CS and SS", from);
    for (uint64_t selector = 0; selector <= 3; selector++) {
        wrmsr(MSR_IA32_SYSENTER_CS, selector);
        run(program, cs, FLAGS_FIXED);
        ok(ring3.how == BACK_FAULT && fault.vector == VECTOR_GP && fault.error_code == 0 &&
               fault.rip == address(program),
           "SYSENTER from %s with CS %lu gives #GP(0)", from, selector);
    }
    wrmsr(MSR_IA32_SYSENTER_CS, KERNEL_CODE | 3);
    run(program, cs, FLAGS_FIXED);
    is(ring3.cs, KERNEL_CODE, "SYSENTER from %s ignores the selector's privilege level", from);
    set_msrs();
}

static void test_sysexit(void)
{
    ring3.rdx = address(program_report);
    ring3.rcx = USER_TOP;
    go_sysexitq();
    is(ring3.how, BACK_SYSCALL, "SYSEXIT to 64 bits arrives");
    is(ring3.r8 & 0xffff, USER_CODE, "SYSEXIT to 64 bits: CS");
    is(ring3.r9 & 0xffff, USER_DATA_SYSEXIT, "SYSEXIT to 64 bits: SS");
    ring3.rdx = address(program_report32);
    ring3.rcx = USER_TOP;
    go_sysexitl();
    is(ring3.how, BACK_SYSENTER, "SYSEXIT to 32 bits arrives");
    is(ring3.rax, USER_CODE32, "SYSEXIT to 32 bits: CS");
    is(ring3.rcx, USER_DATA, "SYSEXIT to 32 bits: SS");
    ring3.rdx = UNCANONICAL;
    ring3.rcx = USER_TOP;
    is_refused(go_sysexitq, "SYSEXIT to an address that is not canonical");
    ring3.rdx = address(program_report);
    ring3.rcx = UNCANONICAL;
    is_refused(go_sysexitq, "SYSEXIT with a stack that is not canonical");
    for (uint64_t selector = 0; selector <= 3; selector++) {
        wrmsr(MSR_IA32_SYSENTER_CS, selector);
        ring3.rcx = USER_TOP;
        is_refused(go_sysexitq, "SYSEXIT to 64 bits with CS 0 to 3");
        ring3.rcx = USER_TOP;
        is_refused(go_sysexitl, "SYSEXIT to 32 bits with CS 0 to 3");
    }
    set_msrs();
}

/* Intel's SYSCALL is undefined outside of 64-bit code, and CSTAR stays unused. */
static void test_compatibility(void)
{
    wrmsr(MSR_IA32_CSTAR, (uintptr_t)back_by_syscall);
    run(program_syscall32, USER_CODE32, FLAGS_FIXED);
    is(ring3.how, BACK_FAULT, "SYSCALL from compatibility mode does not arrive");
    is(fault.vector, VECTOR_UD, "SYSCALL from compatibility mode is undefined");
    is(fault.rip, address(program_syscall32), "and the fault is at the SYSCALL");
    wrmsr(MSR_IA32_CSTAR, 0);
}

static void test_ring3_msrs(void)
{
    static const uint32_t indexes[] = {
        MSR_IA32_TSC,   MSR_IA32_APIC_BASE, MSR_IA32_SYSENTER_CS,    MSR_IA32_PAT,
        MSR_IA32_EFER,  MSR_IA32_STAR,      MSR_IA32_LSTAR,          MSR_IA32_CSTAR,
        MSR_IA32_FMASK, MSR_IA32_GS_BASE,   MSR_IA32_KERNEL_GS_BASE, 0x12345678,
        0xffffffff,
    };
    static const char *const programs_of[] = {program_rdmsr, program_wrmsr};
    bool good[2] = {true, true};

    for (unsigned i = 0; i < 2 * ARRAY_SIZE(indexes); i++) {
        ring3.rcx = indexes[i / 2];
        ring3.rax = PATTERN;
        ring3.rdx = ~PATTERN;
        run(programs_of[i % 2], USER_CODE, FLAGS_FIXED);
        good[i % 2] = ring3.how == BACK_FAULT && fault.vector == VECTOR_GP &&
                      fault.error_code == 0 && fault.rax == PATTERN && fault.rdx == ~PATTERN &&
                      good[i % 2];
    }
    ok(good[0], "RDMSR in ring 3 gives #GP(0) with RDX and RAX unchanged, known MSR or not");
    ok(good[1], "WRMSR in ring 3 gives #GP(0), known MSR or not");
    is(rdmsr(MSR_IA32_LSTAR), (uintptr_t)back_by_syscall, "and changes nothing");
}

/* With a value that ring 0 may write. Under Lintel it exits, in Bochs before the CPL is looked at.
 */
static void test_ring3_xsetbv(void)
{
    const char *name = "XSETBV in ring 3 gives #GP(0)";
    uint64_t cr4 = read_cr4();

    if (!has_xsave()) {
        skip("no XSAVE", "%s", name);
        return;
    }
    write_cr4(cr4 | CR4_OSXSAVE);
    ring3.rcx = 0;
    ring3.rax = 1;
    ring3.rdx = 0;
    run(program_xsetbv, USER_CODE, FLAGS_FIXED);
    ok(ring3.how == BACK_FAULT && fault.vector == VECTOR_GP && fault.error_code == 0, "%s", name);
    write_cr4(cr4);
}

/* SWAPGS and what may come between: the model has the two bases. */
static struct {
    uint64_t gs, kernel_gs;
} model;

static void by_swapgs(void)
{
    uint64_t gs = model.gs;

    __asm__ volatile("swapgs");
    model.gs = model.kernel_gs;
    model.kernel_gs = gs;
}

static void by_write_gs(void)
{
    wrmsr(MSR_IA32_GS_BASE, model.gs = model.kernel_gs ^ 0x10);
}

static void by_write_kernel_gs(void)
{
    wrmsr(MSR_IA32_KERNEL_GS_BASE, model.kernel_gs = model.gs ^ 0x100);
}

static void by_cpuid(void)
{
    cpuid(0, 0);
}

static void by_port(void)
{
    outb(UART_SCR, inb(UART_SCR));
}

static void by_hlt(void)
{
    apic_write(APIC_INITIAL_COUNT, 500);
    sti_hlt_cli();
}

static void by_lstar(void)
{
    wrmsr(MSR_IA32_LSTAR, (uintptr_t)back_by_syscall);
}

static void (*const steps[])(void) = {by_swapgs, by_write_gs, by_write_kernel_gs, by_cpuid, by_port,
                                      by_hlt,    by_lstar};

static void on_timer(struct interrupt_frame *frame)
{
    apic_eoi();
}

/* All sequences of four steps; both bases are read after each sequence, so that no read comes
 * between. */
static void test_swapgs(void)
{
    unsigned count = ARRAY_SIZE(steps), all = count * count * count * count;
    bool good = true;

    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_enable(APIC_MEMORY);
    apic_write(APIC_LVT_TIMER, APIC_TIMER_ONE_SHOT | TIMER_VECTOR);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    wrmsr(MSR_IA32_GS_BASE, model.gs = GS_ONE);
    wrmsr(MSR_IA32_KERNEL_GS_BASE, model.kernel_gs = GS_TWO);
    for (unsigned sequence = 0; sequence < all; sequence++) {
        for (unsigned rest = sequence, i = 0; i < 4; i++, rest /= count)
            steps[rest % count]();
        if (rdmsr(MSR_IA32_GS_BASE) == model.gs &&
            rdmsr(MSR_IA32_KERNEL_GS_BASE) == model.kernel_gs)
            continue;
        if (good)
            diag("sequence %u: GS base 0x%lx, KERNEL_GS_BASE 0x%lx", sequence,
                 rdmsr(MSR_IA32_GS_BASE), rdmsr(MSR_IA32_KERNEL_GS_BASE));
        good = false;
        wrmsr(MSR_IA32_GS_BASE, model.gs);
        wrmsr(MSR_IA32_KERNEL_GS_BASE, model.kernel_gs);
    }
    ok(good, "SWAPGS and the two GS bases in each order with exits, monitor calls and HLT");
}

static void map_user(void)
{
    for (uint64_t at = 0; at < (uint64_t)(programs_end - programs); at += PAGE_SIZE) {
        void *page = page_alloc();
        memcpy(page, programs + at, PAGE_SIZE);
        map_page(USER_TEXT + at, (uintptr_t)page, PAGE_USER);
    }
    map_page(USER_STACK, (uintptr_t)page_alloc(), PAGE_USER | PAGE_WRITE);
}

void guest_main(void)
{
    interrupt_stack((uintptr_t)interrupt_stack_memory + sizeof(interrupt_stack_memory));
    interrupt_handle(VECTOR_GP, on_fault);
    interrupt_handle(VECTOR_PF, on_fault);
    interrupt_handle(VECTOR_UD, on_fault);
    interrupt_handle(VECTOR_DB, on_fault);
    map_user();
    set_msrs();
    test_syscall();
    test_sysret();
    test_sysenter(program_sysenter, USER_CODE, "64-bit mode");
    test_sysenter(program_sysenter32, USER_CODE32, "compatibility mode");
    test_sysexit();
    test_compatibility();
    test_ring3_msrs();
    test_ring3_xsetbv();
    test_swapgs();
}
