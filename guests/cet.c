/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control-flow enforcement in ring 0 (SDM volume 1, "Control-flow Enforcement Technology"): a
 * shadow stack and branch tracking over exits of each kind, the pages of a shadow stack, the bits
 * of CR0 and CR4 that go together, and XSAVES of ring 3's state.
 */
#include "guests/cet.h"
#include "guests/lib/guest.h"

#define MSR_IA32_PL0_SSP 0x6a4
#define MSR_IA32_PL3_SSP 0x6a7
#define MSR_IA32_XSS     0xda0
#define PAGE_DIRTY       0x40ULL
#define VECTOR_IPI       0x41
#define XSS_CET          0x1800U
#define COMPONENT_U      11
#define COMPONENT_S      12
#define XSAVE_HEADER     576
#define TOKEN            (MAP_BASE + PAGE_SIZE - 8)
#define TOKEN_INDEX      (PAGE_SIZE / 8 - 1)
#define ERROR_WRITTEN    3 /* of #PF: present, a write */

typedef void program(void);

uint32_t cet_run(program *program, uint32_t s_cet);
program cet_nested, cet_exits, cet_changed, cet_interrupted, cet_jump, cet_wild, cet_no_track,
    cet_waits, cet_waits_in_vain;
void cet_raise(void);
extern const char cet_handler[];
extern uint64_t cet_ssp;

uint64_t cet_ssp; /* as the last program found it */
static unsigned interrupts;
static uint64_t *shadow; /* where the shadow stack can be written */

/* Vector 21 goes to the assembly: the library's stubs begin with no ENDBR64, and return. */
static void take_faults(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer;
    uint64_t handler = (uintptr_t)cet_handler;

    __asm__ volatile("sidt %0" : "=m"(pointer));
    uint16_t *gate = (uint16_t *)(pointer.base + VECTOR_CP * 16);
    gate[0] = (uint16_t)handler;
    gate[3] = (uint16_t)(handler >> 16);
}

static void on_ipi(struct interrupt_frame *frame)
{
    interrupts++;
    apic_eoi();
}

void cet_raise(void)
{
    apic_self_ipi(VECTOR_IPI);
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

/* The token that SETSSBSY looks for. */
static uint32_t run_shadowed(program *program)
{
    shadow[TOKEN_INDEX] = TOKEN;
    wrmsr(MSR_IA32_PL0_SSP, TOKEN);
    cet_ssp = 0;
    return cet_run(program, CET_SHADOW_STACK);
}

static void test_shadow_stack(void)
{
    is(run_shadowed(cet_nested), 0, "calls and returns with a shadow stack");
    is(cet_ssp, TOKEN - 16, "SSP goes down with each call");
    is(shadow[TOKEN_INDEX], TOKEN | 1, "its token is busy");
    is(run_shadowed(cet_exits), 0, "returns over exits");
    is(cet_ssp, TOKEN - 16, "SSP is the same behind exits");
    is(run_shadowed(cet_changed), CET_FAULT | CP_NEAR_RETURN,
       "a changed return address is #CP, with its error code");
    is(run_shadowed(cet_interrupted), 0, "an interrupt comes and goes with a shadow stack");
    is(interrupts, 1, "it came");
    is(cet_ssp, TOKEN - 8, "SSP is the same behind it");
}

/* It can be read, but not written but by what is its own. */
static void test_pages(void)
{
    uint64_t source = CET_DEVICE, target = MAP_BASE;
    uint32_t value = 0;

    is_no_trap(try_load((void *)MAP_BASE, &value), "a shadow stack can be read");
    is_trap(try_store((void *)MAP_BASE, 1), VECTOR_PF, ERROR_WRITTEN, "it cannot be written");
    is_no_trap(TRY_ASM("cmpsl", "+S"(source), "+D"(target) :), "read behind a device's read");
    source = CET_DEVICE, target = MAP_BASE;
    is_trap(TRY_ASM("movsl", "+S"(source), "+D"(target) :), VECTOR_PF, ERROR_WRITTEN,
            "nor behind a device's read");
}

static void test_tracking(void)
{
    is(cet_run(cet_jump, CET_ENDBRANCH), 0, "a jump to ENDBR64");
    is(cet_run(cet_wild, CET_ENDBRANCH), CET_FAULT | CP_ENDBRANCH,
       "a jump to something else is #CP");
    is(cet_run(cet_no_track, CET_ENDBRANCH | CET_NO_TRACK), 0, "with NOTRACK it is none");
    is(cet_run(cet_no_track, CET_ENDBRANCH), CET_FAULT | CP_ENDBRANCH,
       "unless that is not enabled");
    is(cet_run(cet_exits, CET_ENDBRANCH), 0, "branch tracking over exits");
    is(cet_run(cet_waits, CET_ENDBRANCH), 0, "a tracker that WRMSR sets finds its ENDBR64");
    is(cet_run(cet_waits_in_vain, CET_ENDBRANCH), CET_FAULT | CP_ENDBRANCH, "or not");
    is(rdmsr(MSR_IA32_S_CET), 0, "IA32_S_CET is as written");
}

/* The second of each pair exits under Lintel, for another bit. */
static void test_control_registers(void)
{
    uint64_t cr0 = read_cr0(), cr4 = read_cr4();

    is(try_write_cr0(cr0 & ~CR0_WP).vector, VECTOR_GP, "CR0.WP stays with CR4.CET");
    is(try_write_cr0((cr0 & ~CR0_WP) | CR0_CD).vector, VECTOR_GP, "and where CD changes");
    write_cr4(cr4 & ~CR4_CET);
    write_cr0(cr0 & ~CR0_WP);
    is(try_write_cr4(cr4).vector, VECTOR_GP, "CR4.CET is for CR0.WP alone");
    is(try_write_cr4(cr4 ^ CR4_MCE).vector, VECTOR_GP, "and where MCE changes");
    write_cr0(cr0);
    is_no_trap(try_write_cr4(cr4 ^ CR4_MCE), "with CR0.WP both change");
    write_cr4(cr4);
}

static void test_sizes(void)
{
    struct cpuid_result user = cpuid(0xd, COMPONENT_U), supervisor = cpuid(0xd, COMPONENT_S);

    is(user.eax, 16, "two words of ring 3's state");
    is(supervisor.eax, 24, "three of the others'");
    is(user.ecx & supervisor.ecx & 1, 1, "both are supervisor states");
    is(cpuid(0xd, 1).ebx, XSAVE_HEADER + user.eax + supervisor.eax,
       "the area for what XCR0 and IA32_XSS have");
}

/* XSAVES and XRSTORS with 512 bytes, a header, and then the two components. */
static void test_xsaves(void)
{
    static uint64_t area[512] __attribute__((aligned(64)));
    uint64_t cr4 = read_cr4();

    write_cr4(cr4 | CR4_OSXSAVE);
    is_no_trap(try_wrmsr(MSR_IA32_XSS, XSS_CET), "IA32_XSS takes the states of CET");
    test_sizes();
    wrmsr(MSR_IA32_U_CET, CET_SHADOW_STACK);
    wrmsr(MSR_IA32_PL3_SSP, 0x7000);
    wrmsr(MSR_IA32_PL0_SSP, 0x8000);
    __asm__ volatile("xsaves64 %0" : "+m"(area) : "a"(XSS_CET), "d"(0));
    is(area[XSAVE_HEADER / 8], CET_SHADOW_STACK, "XSAVES saves IA32_U_CET");
    is(area[XSAVE_HEADER / 8 + 1], 0x7000, "and IA32_PL3_SSP");
    wrmsr(MSR_IA32_U_CET, 0);
    wrmsr(MSR_IA32_PL3_SSP, 0);
    wrmsr(MSR_IA32_PL0_SSP, 0);
    __asm__ volatile("xrstors64 %0" : : "m"(area), "a"(XSS_CET), "d"(0));
    is(rdmsr(MSR_IA32_U_CET), CET_SHADOW_STACK, "XRSTORS restores IA32_U_CET");
    cpuid(0, 0);
    is(rdmsr(MSR_IA32_PL3_SSP), 0x7000, "and IA32_PL3_SSP, over an exit");
    is(rdmsr(MSR_IA32_PL0_SSP), 0x8000, "and IA32_PL0_SSP");
    wrmsr(MSR_IA32_U_CET, 0);
    wrmsr(MSR_IA32_XSS, 0);
    write_cr4(cr4);
}

void guest_main(void)
{
    uint64_t cr4 = read_cr4();

    if (!(cpuid(7, 0).ecx >> 7 & 1)) {
        is(try_write_cr4(cr4 | CR4_CET).vector, VECTOR_GP, "CR4.CET is reserved without CET");
        return;
    }
    shadow = page_alloc();
    map_page(MAP_BASE, (uintptr_t)shadow, PAGE_DIRTY);
    take_faults();
    apic_enable(APIC_MEMORY);
    interrupt_handle(VECTOR_IPI, on_ipi);
    write_cr4(cr4 | CR4_CET);
    test_shadow_stack();
    test_pages();
    test_tracking();
    test_control_registers();
    test_xsaves();
    write_cr4(cr4);
}
