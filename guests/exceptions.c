/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions arrive as the CPU raises them: vector, error code, CR2 and RIP; debug traps survive
 * exits (R14, R15, R43). */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define NOT_CANONICAL 0x0000800000000000ULL
#define UNMAPPED      (MAP_BASE + 0x100000)
#define READ_ONLY     (MAP_BASE + 0x200000)
#define DATA          (MAP_BASE + 0x300000)
#define DR6_BS        BIT(14)
#define DR7_WRITE_0   0x000d0401 /* breakpoint 0: data write of 4 bytes */
#define DR7_EXECUTE_0 0x00000401

#define INTERRUPT_VECTOR 0x41

static void test_simple(void)
{
    uint32_t value = 0;

    is_trap(TRY_ASM("int3", :), VECTOR_BP, 0, "INT3");
    is_trap(TRY_ASM("divl %0", : "r"(0), "a"(1), "d"(0)), VECTOR_DE, 0, "division by zero");
    is_trap(TRY_ASM("ud2", :), VECTOR_UD, 0, "UD2");
    is_trap(try_load((void *)NOT_CANONICAL, &value), VECTOR_GP, 0,
            "a load from an address that is not canonical");
    is_trap(TRY_ASM("movw %w0, %%ds", : "r"(0x88)), VECTOR_GP, 0x88, "a selector beyond the GDT");
    is_trap(TRY_ASM("movw %w0, %%ss", : "r"(USER_DATA)), VECTOR_GP, USER_DATA & ~3,
            "SS of another privilege level");
    is_trap(TRY_ASM("ltr %w0", : "r"(KERNEL_DATA)), VECTOR_GP, KERNEL_DATA,
            "LTR of a data segment");
}

static void test_fpu_faults(void)
{
    uint64_t cr0 = read_cr0();

    write_cr0(cr0 | CR0_TS);
    is_trap(TRY_ASM("fninit", :), VECTOR_NM, 0, "x87 with CR0.TS");
    write_cr0((cr0 & ~CR0_MP) | CR0_EM);
    is_trap(TRY_ASM("fninit", :), VECTOR_NM, 0, "x87 with CR0.EM");
    write_cr0(cr0);
    is_trap(TRY_ASM("movups %%xmm0, %%xmm0", :), VECTOR_UD, 0, "SSE without CR4.OSFXSR");
}

static uint64_t fault_return, fault_flags;

static void on_fault(struct interrupt_frame *frame)
{
    fault_flags = frame->rflags;
    frame->rip = fault_return;
}

/* Whether RF is set in what the fault of an instruction pushes. */
#define PUSHES_RF(instruction, ...)                                                                \
    ({                                                                                             \
        fault_flags = 0;                                                                           \
        __asm__ volatile("leaq 1f(%%rip), %%r8; movq %%r8, %0; " instruction "; 1:"                \
                         : "=m"(fault_return)                                                      \
                         : __VA_ARGS__                                                             \
                         : "rax", "rdx", "r8", "memory");                                          \
        (fault_flags & RFLAGS_RF) != 0;                                                            \
    })

/* A fault's handler returns to the same instruction, past its breakpoint (SDM volume 3,
 * "Instruction-Breakpoint Exception Condition"). */
static void test_resume_flag(void)
{
    interrupt_handle(VECTOR_GP, on_fault);
    interrupt_handle(VECTOR_UD, on_fault);
    ok(PUSHES_RF("movl (%1), %%eax", "r"(NOT_CANONICAL)), "RF: a load that faults");
    ok(PUSHES_RF("rdmsr", "c"(0x12345678)), "RF: RDMSR of an unknown MSR");
    ok(PUSHES_RF("movq %1, %%cr4", "r"(BIT(40))), "RF: a reserved bit of CR4");
    ok(PUSHES_RF("vmxoff", "c"(0)), "RF: VMXOFF");
    interrupt_handle(VECTOR_GP, NULL);
    interrupt_handle(VECTOR_UD, NULL);
}

static bool is_page_fault(struct trap trap, uint32_t error_code, uint64_t cr2, const char *name)
{
    return is_trap(trap, VECTOR_PF, error_code, "%s: page fault", name) &&
           is(trap.cr2, cr2, "%s: CR2", name);
}

static void test_page_faults(void)
{
    uint32_t value = 0;
    uint64_t width = cpuid(0x80000008, 0).eax & 0xff;

    is_page_fault(try_load((void *)UNMAPPED, &value), 0, UNMAPPED, "a load, not present");
    is_page_fault(try_store((void *)(UNMAPPED + 8), 0), 2, UNMAPPED + 8, "a store, not present");
    map_page(READ_ONLY, (uintptr_t)page_alloc(), PAGE_NO_EXECUTE);
    is_no_trap(try_load((void *)READ_ONLY, &value), "a load from a read-only page");
    is_page_fault(try_store((void *)READ_ONLY, 0), 3, READ_ONLY, "a store to a read-only page");
    map_page(READ_ONLY, BIT(width), PAGE_WRITE);
    is_page_fault(try_load((void *)READ_ONLY, &value), 9, READ_ONLY, "a reserved bit in the leaf");
    map_page(READ_ONLY, 0, 0);
    is_page_fault(try_load((void *)(UNMAPPED + PAGE_SIZE - 2), &value), 0, UNMAPPED + PAGE_SIZE - 2,
                  "a load across two pages");
}

static uint64_t fetch_return;

static void on_fetch_fault(struct interrupt_frame *frame)
{
    trap_taken = (struct trap){VECTOR_PF, (uint32_t)frame->error_code, frame->rip, read_cr2()};
    frame->rip = fetch_return;
}

static void test_fetch_fault(void)
{
    map_page(DATA, (uintptr_t)page_alloc(), PAGE_WRITE | PAGE_NO_EXECUTE);
    interrupt_handle(VECTOR_PF, on_fetch_fault);
    __asm__ volatile("leaq 1f(%%rip), %%rax; movq %%rax, %0; jmp *%1; 1:"
                     : "=m"(fetch_return)
                     : "r"(DATA)
                     : "rax", "memory");
    interrupt_handle(VECTOR_PF, NULL);
    is(trap_taken.error_code, 0x11, "a fetch from a no-execute page: error code");
    is(trap_taken.cr2, DATA, "a fetch from a no-execute page: CR2");
    is(trap_taken.rip, DATA, "a fetch from a no-execute page: RIP");
}

/* VMX is hidden or off: each of its instructions is undefined. VMCALL may be a hypercall and is
 * left out. */
static void test_vmx(void)
{
    uint64_t memory[2] = {0, 0};

    is_trap(TRY_ASM("vmxon %0", : "m"(memory)), VECTOR_UD, 0, "VMXON");
    is_trap(TRY_ASM("vmxoff", :), VECTOR_UD, 0, "VMXOFF");
    is_trap(TRY_ASM("vmclear %0", : "m"(memory)), VECTOR_UD, 0, "VMCLEAR");
    is_trap(TRY_ASM("vmptrld %0", : "m"(memory)), VECTOR_UD, 0, "VMPTRLD");
    is_trap(TRY_ASM("vmptrst %0", : "m"(memory)), VECTOR_UD, 0, "VMPTRST");
    is_trap(TRY_ASM("vmread %%rax, %%rcx", :), VECTOR_UD, 0, "VMREAD");
    is_trap(TRY_ASM("vmwrite %%rax, %%rcx", :), VECTOR_UD, 0, "VMWRITE");
    is_trap(TRY_ASM("vmlaunch", :), VECTOR_UD, 0, "VMLAUNCH");
    is_trap(TRY_ASM("vmresume", :), VECTOR_UD, 0, "VMRESUME");
    is_trap(TRY_ASM("vmfunc", : "a"(0), "c"(0)), VECTOR_UD, 0, "VMFUNC");
    is_trap(TRY_ASM("invept %0, %%rax", : "m"(memory), "a"(1)), VECTOR_UD, 0, "INVEPT");
    is_trap(TRY_ASM("invvpid %0, %%rax", : "m"(memory), "a"(1)), VECTOR_UD, 0, "INVVPID");
}

/* R46: an instruction works exactly when CPUID tells of it. */
static void test_features(void)
{
    uint32_t ecx1 = cpuid(1, 0).ecx, ebx7 = cpuid(7, 0).ebx;
    uint64_t descriptor[2] = {0, 0};
    uint32_t value;
    struct trap trap;

    trap = TRY_ASM("rdtscp", "=a"(value), "=c"(value), "=d"(value) :);
    ok((trap.vector == NO_TRAP) == (cpuid(0x80000001, 0).edx >> 27 & 1), "RDTSCP follows CPUID");
    trap = TRY_ASM("invpcid %0, %%rax", : "m"(descriptor), "a"(2));
    ok((trap.vector == NO_TRAP) == (ebx7 >> 10 & 1), "INVPCID follows CPUID");
    trap = TRY_ASM("monitor", : "a"(descriptor), "c"(0), "d"(0));
    ok((trap.vector == NO_TRAP) == (ecx1 >> 3 & 1), "MONITOR follows CPUID");
    trap = TRY_ASM("rdrand %0", "=r"(value) :);
    ok((trap.vector == NO_TRAP) == (ecx1 >> 30 & 1), "RDRAND follows CPUID");
    trap = TRY_ASM("rdseed %0", "=r"(value) :);
    ok((trap.vector == NO_TRAP) == (ebx7 >> 18 & 1), "RDSEED follows CPUID");
    is_trap(TRY_ASM("rsm", :), VECTOR_UD, 0, "RSM");
    is_trap(TRY_ASM("rdpmc", "=a"(value), "=d"(value) : "c"(0x3fff)), VECTOR_GP, 0,
            "RDPMC of a missing counter");
    is_no_trap(TRY_ASM("pause", :), "PAUSE");
}

static unsigned debug_count;
static uint64_t debug_rip, debug_dr6;

static void on_debug(struct interrupt_frame *frame)
{
    debug_count++;
    debug_rip = frame->rip;
    debug_dr6 = read_dr6();
    frame->rflags &= ~RFLAGS_TF;
    frame->rflags |= RFLAGS_RF;
    write_dr6(0);
}

/* Runs one instruction with TF set and RCX given; `behind` becomes the address of the next one. */
#define SINGLE_STEP(instruction, rcx, behind)                                                      \
    do {                                                                                           \
        uint64_t count = (rcx);                                                                    \
        __asm__ volatile("pushfq; orq %[tf], (%%rsp); leaq 1f(%%rip), %%r8; movq %%r8, %[at];"     \
                         "popfq; " instruction "; 1: nop"                                          \
                         : [at] "=m"(behind), "+c"(count)                                          \
                         : [tf] "i"(RFLAGS_TF), [ipi] "i"(ICR_SELF | INTERRUPT_VECTOR)             \
                         : "rax", "rbx", "rdx", "r8", "cc", "memory");                             \
    } while (0)

static void is_step(uint64_t behind, const char *name)
{
    ok(debug_count == 1 && debug_rip == behind && (debug_dr6 & DR6_BS), "a single step over %s",
       name);
    if (debug_count != 1 || debug_rip != behind)
        diag("count %u, RIP 0x%lx, expected 0x%lx, DR6 0x%lx", debug_count, debug_rip, behind,
             debug_dr6);
    debug_count = 0;
}

/* R43: the trap comes after the instruction, whoever completes it. */
static void test_single_step(void)
{
    uint64_t behind;

    write_dr6(0);
    interrupt_handle(VECTOR_DB, on_debug);
    SINGLE_STEP("nop", 0, behind);
    is_step(behind, "NOP");
    SINGLE_STEP("cpuid", 0, behind);
    is_step(behind, "CPUID");
    SINGLE_STEP("inb $0x71, %%al", 0, behind);
    is_step(behind, "IN");
    SINGLE_STEP("outb %%al, $0x80", 0, behind);
    is_step(behind, "OUT");
    SINGLE_STEP("rdmsr", MSR_IA32_PAT, behind);
    is_step(behind, "RDMSR");
    SINGLE_STEP("movl 0xd0000000, %%eax", 0, behind);
    is_step(behind, "a load from device memory");
    interrupt_handle(VECTOR_DB, NULL);
}

static unsigned interrupt_after;
static uint64_t interrupt_rip;

static void on_interrupt(struct interrupt_frame *frame)
{
    interrupt_after = debug_count;
    interrupt_rip = frame->rip;
    frame->rflags &= ~RFLAGS_TF;
    apic_eoi();
}

/* R43: an interrupt that the stepped instruction itself brings about comes behind the trap. */
static void test_step_before_interrupt(void)
{
    uint64_t behind;

    apic_enable(APIC_MEMORY);
    interrupt_handle(VECTOR_DB, on_debug);
    interrupt_handle(INTERRUPT_VECTOR, on_interrupt);
    interrupt_rip = 0;
    __asm__ volatile("sti");
    SINGLE_STEP("movl %[ipi], (%%rcx)", APIC_PAGE + APIC_ICR, behind);
    __asm__ volatile("cli");
    is_step(behind, "a self-IPI");
    is(interrupt_rip, behind, "the self-IPI comes before the next instruction");
    is(interrupt_after, 1, "the self-IPI comes behind the trap");
    interrupt_handle(INTERRUPT_VECTOR, NULL);
    interrupt_handle(VECTOR_DB, NULL);
}

static void test_breakpoints(void)
{
    static uint32_t watched;
    uint64_t here;

    interrupt_handle(VECTOR_DB, on_debug);
    write_dr0((uintptr_t)&watched);
    write_dr7(DR7_WRITE_0);
    cpuid(0, 0);
    __asm__ volatile("movl $1, %0; leaq 1f(%%rip), %1\n1:"
                     : "=m"(watched), "=r"(here)
                     :
                     : "memory");
    ok(debug_count == 1 && (debug_dr6 & 0xf) == 1, "a data breakpoint");
    debug_count = 0;
    __asm__ volatile("leaq 1f(%%rip), %0; movq %0, %%dr0; movq %1, %%dr7\n1: nop"
                     : "=&r"(here)
                     : "r"((uint64_t)DR7_EXECUTE_0)
                     : "memory");
    write_dr7(0x400);
    ok(debug_count == 1 && debug_rip == here && (debug_dr6 & 0xf) == 1, "an execution breakpoint");
    debug_count = 0;
    interrupt_handle(VECTOR_DB, NULL);
}

static uint64_t double_fault_return, double_fault_stack;

static void on_double_fault(struct interrupt_frame *frame)
{
    trap_taken = (struct trap){VECTOR_DF, (uint32_t)frame->error_code, frame->rip, 0};
    frame->rip = double_fault_return;
    frame->rsp = double_fault_stack;
}

/* R15: a page fault that cannot be delivered is a double fault. */
static void test_double_fault(void)
{
    trap_taken.vector = NO_TRAP;
    interrupt_handle(VECTOR_DF, on_double_fault);
    __asm__ volatile(
        "leaq 1f(%%rip), %%rax; movq %%rax, %0; movq %%rsp, %1; movq %2, %%rsp; pushq $0; 1:"
        : "=m"(double_fault_return), "=m"(double_fault_stack)
        : "r"(UNMAPPED)
        : "rax", "memory");
    interrupt_handle(VECTOR_DF, NULL);
    is_trap(trap_taken, VECTOR_DF, 0, "a page fault on an unmapped stack");
}

void guest_main(void)
{
    test_simple();
    test_fpu_faults();
    test_resume_flag();
    test_page_faults();
    test_fetch_fault();
    test_vmx();
    test_features();
    test_single_step();
    test_step_before_interrupt();
    test_breakpoints();
    test_double_fault();
}
