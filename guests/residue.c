/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The residue audit (R11, R34, R35): what one VM leaves in the CPU, another must not see.
 *
 * Several VMs run this kernel on one CPU, each with a memory size of its own, which makes its
 * canaries its own too. A start looks for anything but reset values, then canaries go into all that
 * the CPU holds and the world switch moves; and after each exit, of a kind drawn at random, all of
 * it is read again. What is not the last value that this VM wrote is reported. Each VM resets
 * itself twice: nothing of its own former life may be there either.
 */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define STARTS             3
#define ROUNDS             120
#define RENEWAL            16 /* rounds from one set of canaries to the next */
#define REPORTS_MAX        12
#define CMOS_STARTS        0x60
#define UNCLAIMED          0xd0000000ULL
#define TIMER_VECTOR       0x41
#define SLEEP_MAX          0x7fff  /* TSC ticks */
#define SPIN_MAX           0x3ffff /* longer than a time slice */
#define MSR_IA32_DEBUGCTL  0x1d9
#define MSR_IA32_SPEC_CTRL 0x48
#define MSR_IA32_PKRS      0x6e1
#define MSR_IA32_U_CET     0x6a0
#define MSR_IA32_S_CET     0x6a2
#define MSR_IA32_PL0_SSP   0x6a4
#define MSR_IA32_PL1_SSP   0x6a5
#define MSR_IA32_PL2_SSP   0x6a6
#define MSR_IA32_PL3_SSP   0x6a7
#define MSR_IA32_SSP_TABLE 0x6a8
#define MSR_IA32_XSS       0xda0
#define XSS_CET_U          0x800 /* also in each canary of XSS */
#define XSTATE_PKRU        9
#define PAT_RESET          0x0007040600070406
#define EFER_START         (EFER_NXE | EFER_LMA | EFER_LME) /* as the kernel's own start leaves it */
#define DR6_RESET          0xffff0ff0
#define CPUID_RDPID        BIT(22) /* leaf 7, ECX */

static uint64_t identity, generation;
static bool with_xsave; /* remembered: CPUID exits */

/* In hexadecimal, a canary tells whose it is: the VM's memory in units of 2 MiB, the slot, the
 * generation. */
static uint64_t wide(unsigned slot)
{
    return 0x7a0000000000 | identity << 24 | (uint64_t)slot << 16 | generation;
}

static uint64_t narrow(unsigned slot)
{
    return (uint32_t)wide(slot);
}

static uint64_t pat(void)
{
    static const uint8_t types[4] = {0, 1, 4, 5};
    uint64_t value = PAT_RESET & 0xffffffff; /* entries 0 to 3 are the page tables' */

    for (unsigned entry = 4; entry < 8; entry++)
        value |= (uint64_t)types[(identity + generation * entry) % 4] << entry * 8;
    return value;
}

static uint64_t efer(void)
{
    uint64_t n = identity + generation;

    return EFER_LMA | EFER_LME | (n & 1 ? EFER_SCE : 0) | (n & 2 ? EFER_NXE : 0);
}

static bool has_rdtscp(void)
{
    return cpuid(0x80000001, 0).edx >> 27 & 1;
}

static bool has_rdpid(void)
{
    return cpuid(7, 0).ecx & CPUID_RDPID;
}

static bool has_spec_ctrl(void)
{
    return cpuid(7, 0).edx >> 26 & 1;
}

/* With IBRS and BHI_DIS_S, which a host has set for itself, a read shows what the CPU holds; STIBP
 * tells whose it is. */
static uint64_t spec_ctrl(void)
{
    bool has_bhi_ctrl = cpuid(7, 0).eax >= 2 && cpuid(7, 2).edx >> 4 & 1;

    return 1 | (has_bhi_ctrl ? 0x400 : 0) | ((identity + generation) & 1) << 1;
}

static bool has_pks(void)
{
    return cpuid(7, 0).ecx >> 31 & 1;
}

static bool has_cet(void)
{
    return cpuid(7, 0).ecx >> 7 & 1;
}

/* An address of a bitmap, and two flags; and where a shadow stack could begin. */
static uint64_t cet(unsigned slot)
{
    return (wide(slot) & ~0xfffULL) | ((identity + generation) & 3);
}

static uint64_t ssp(unsigned slot)
{
    return wide(slot) & ~3ULL;
}

static uint64_t xss(void)
{
    return XSS_CET_U | ((identity + generation) & 1) << 12;
}

/* Component 11 of XSAVES, in a compacted image with nothing else. A WRMSR of these exits on a CPU
 * of 57-bit addresses, and who answers it knows the value; XRSTORS, as a kernel does at each of its
 * own switches, tells nobody (R34). */
static void restore_user_cet(uint64_t u_cet, uint64_t pl3_ssp)
{
    static uint64_t area[74] __attribute__((aligned(64)));

    area[64] = XSS_CET_U;
    area[65] = BIT(63) | XSS_CET_U;
    area[72] = u_cet;
    area[73] = pl3_ssp;
    __asm__ volatile("xrstors64 %0" : : "m"(area), "a"(XSS_CET_U), "d"(0));
}

static bool has_debugctl(void)
{
    uint64_t value = 0;

    return try_rdmsr(MSR_IA32_DEBUGCTL, &value).vector == NO_TRAP;
}

static uint64_t read_rdtscp(void)
{
    uint32_t low, high, aux;

    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
    return aux;
}

static uint64_t read_rdpid(void)
{
    uint64_t aux;

    __asm__ volatile("rdpid %0" : "=r"(aux));
    return aux;
}

static uint64_t supported_xcr0(void)
{
    return cpuid(0xd, 0).eax;
}

static uint64_t read_xcr0(void)
{
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static void write_nothing(uint64_t value)
{
}

/*
 * X(id, name, condition, read, write, reset value, canary): all but the vector registers. RDTSCP
 * and RDPID are other ways to TSC_AUX, so that they come behind it, with its canary and without a
 * write.
 */
#define STATE_MSR(X, id, reset, canary)                                                            \
    X(id, #id, true, rdmsr(MSR_IA32_##id), wrmsr(MSR_IA32_##id, value), reset, canary)
#define STATE_CET(X, id, canary) STATE_CET_BY(X, id, wrmsr(MSR_IA32_##id, value), canary)
#define STATE_CET_BY(X, id, write, canary)                                                         \
    X(id, #id, has_cet(), rdmsr(MSR_IA32_##id), write, 0, canary)
#define STATE(X)                                                                                   \
    STATE_MSR(X, STAR, 0, wide(STATE_STAR))                                                        \
    STATE_MSR(X, LSTAR, 0, wide(STATE_LSTAR))                                                      \
    STATE_MSR(X, CSTAR, 0, wide(STATE_CSTAR))                                                      \
    STATE_MSR(X, FMASK, 0, narrow(STATE_FMASK))                                                    \
    STATE_MSR(X, KERNEL_GS_BASE, 0, wide(STATE_KERNEL_GS_BASE))                                    \
    STATE_MSR(X, GS_BASE, 0, wide(STATE_GS_BASE))                                                  \
    STATE_MSR(X, FS_BASE, 0, wide(STATE_FS_BASE))                                                  \
    STATE_MSR(X, SYSENTER_CS, 0, narrow(STATE_SYSENTER_CS))                                        \
    STATE_MSR(X, SYSENTER_ESP, 0, wide(STATE_SYSENTER_ESP))                                        \
    STATE_MSR(X, SYSENTER_EIP, 0, wide(STATE_SYSENTER_EIP))                                        \
    STATE_MSR(X, PAT, PAT_RESET, pat())                                                            \
    STATE_MSR(X, EFER, EFER_START, efer())                                                         \
    X(DEBUGCTL, "DEBUGCTL", has_debugctl(), rdmsr(MSR_IA32_DEBUGCTL),                              \
      wrmsr(MSR_IA32_DEBUGCTL, value), 0, identity & 1)                                            \
    X(SPEC_CTRL, "SPEC_CTRL", has_spec_ctrl(), rdmsr(MSR_IA32_SPEC_CTRL),                          \
      wrmsr(MSR_IA32_SPEC_CTRL, value), 0, spec_ctrl())                                            \
    STATE_CET(X, XSS, xss())                                                                       \
    STATE_CET_BY(X, U_CET, restore_user_cet(value, rdmsr(MSR_IA32_PL3_SSP)), cet(STATE_U_CET))     \
    STATE_CET(X, S_CET, cet(STATE_S_CET))                                                          \
    STATE_CET(X, PL0_SSP, ssp(STATE_PL0_SSP))                                                      \
    STATE_CET(X, PL1_SSP, ssp(STATE_PL1_SSP))                                                      \
    STATE_CET(X, PL2_SSP, ssp(STATE_PL2_SSP))                                                      \
    STATE_CET_BY(X, PL3_SSP, restore_user_cet(rdmsr(MSR_IA32_U_CET), value), ssp(STATE_PL3_SSP))   \
    STATE_CET(X, SSP_TABLE, wide(STATE_SSP_TABLE))                                                 \
    X(PKRS, "PKRS", has_pks(), rdmsr(MSR_IA32_PKRS), wrmsr(MSR_IA32_PKRS, value), 0,               \
      narrow(STATE_PKRS))                                                                          \
    X(TSC_AUX, "TSC_AUX", has_rdtscp(), rdmsr(MSR_IA32_TSC_AUX), wrmsr(MSR_IA32_TSC_AUX, value),   \
      0, narrow(STATE_TSC_AUX))                                                                    \
    X(RDTSCP, "RDTSCP", has_rdtscp(), read_rdtscp(), write_nothing(value), 0,                      \
      narrow(STATE_TSC_AUX))                                                                       \
    X(RDPID, "RDPID", has_rdpid(), read_rdpid(), write_nothing(value), 0, narrow(STATE_TSC_AUX))   \
    X(XCR0, "XCR0", with_xsave, read_xcr0(), xsetbv(0, value), 1,                                  \
      supported_xcr0() & (identity & 1 ? 7 : ~0ULL))                                               \
    X(DR0, "DR0", true, read_dr0(), write_dr0(value), 0, wide(STATE_DR0))                          \
    X(DR1, "DR1", true, read_dr1(), write_dr1(value), 0, wide(STATE_DR1))                          \
    X(DR2, "DR2", true, read_dr2(), write_dr2(value), 0, wide(STATE_DR2))                          \
    X(DR3, "DR3", true, read_dr3(), write_dr3(value), 0, wide(STATE_DR3))                          \
    X(DR6, "DR6", true, read_dr6(), write_dr6(value), DR6_RESET,                                   \
      DR6_RESET | ((identity + generation) & 0xf))                                                 \
    X(DR7, "DR7", true, read_dr7(), write_dr7(value), DR7_RESET,                                   \
      DR7_RESET | ((identity + generation) & 3) << 8)                                              \
    X(CR2, "CR2", true, read_cr2(), write_cr2(value), 0, wide(STATE_CR2))

enum state_slot {
#define SLOT(id, ...) STATE_##id,
    STATE(SLOT)
#undef SLOT
        STATE_COUNT
};

#define FUNCTIONS(id, name, condition, read, write, reset, canary)                                 \
    static bool has_##id(void)                                                                     \
    {                                                                                              \
        return condition;                                                                          \
    }                                                                                              \
    static uint64_t get_##id(void)                                                                 \
    {                                                                                              \
        return read;                                                                               \
    }                                                                                              \
    static void set_##id(uint64_t value)                                                           \
    {                                                                                              \
        write;                                                                                     \
    }                                                                                              \
    static uint64_t canary_##id(void)                                                              \
    {                                                                                              \
        return canary;                                                                             \
    }
STATE(FUNCTIONS)
#undef FUNCTIONS

static const struct {
    const char *name;
    bool (*has)(void);
    uint64_t (*get)(void);
    void (*set)(uint64_t value);
    uint64_t (*canary)(void);
    uint64_t reset;
} state[STATE_COUNT] = {
#define ROW(id, name, condition, read, write, reset, canary)                                       \
    {name, has_##id, get_##id, set_##id, canary_##id, reset},
    STATE(ROW)
#undef ROW
};

static bool present[STATE_COUNT];
static uint64_t own[STATE_COUNT];
static unsigned faults[STATE_COUNT], reports;

static void report(const char *name, const char *when, uint64_t got, uint64_t expected)
{
    if (reports++ < REPORTS_MAX)
        diag("%s %s: 0x%lx, but its own is 0x%lx", name, when, got, expected);
}

static void check_state(const char *when)
{
    for (unsigned i = 0; i < STATE_COUNT; i++) {
        uint64_t got = present[i] ? state[i].get() : own[i];
        if (got == own[i])
            continue;
        faults[i]++;
        report(state[i].name, when, got, own[i]);
    }
}

static void renew_state(void)
{
    for (unsigned i = 0; i < STATE_COUNT; i++) {
        own[i] = state[i].canary();
        if (present[i])
            state[i].set(own[i]);
    }
}

/* The vector registers, as XSAVE's or FXSAVE's image: 512 bytes of x87 and SSE, the header, the
 * other components. */
#define IMAGE_SIZE    4096
#define IMAGE_FCW     0
#define IMAGE_FIP     8
#define IMAGE_FDP     16
#define IMAGE_MXCSR   24
#define IMAGE_ST      32
#define IMAGE_XMM     160
#define IMAGE_XMM_END 416
#define IMAGE_XSTATE  512
#define IMAGE_HEADER  64
#define FCW_INITIAL   0x37f
#define MXCSR_INITIAL 0x1f80
#define SLOT_VECTOR   0x80 /* in canaries */

static uint8_t image[IMAGE_SIZE] __attribute__((aligned(64)));
static uint8_t now[IMAGE_SIZE] __attribute__((aligned(64)));
static unsigned vector_faults;

static void save_vectors(void)
{
    memset(now, 0, sizeof(now));
    if (with_xsave)
        xsave(now, UINT64_MAX);
    else
        fxsave(now);
    memset(now + IMAGE_MXCSR + 4, 0, 4); /* MXCSR_MASK is the CPU's */
}

static void load_vectors(void)
{
    if (with_xsave)
        xrstor(image, UINT64_MAX);
    else
        fxrstor(image);
}

static void fill(unsigned from, unsigned to)
{
    for (unsigned at = from; at < to; at += 8)
        *(uint64_t *)(image + at) = wide(SLOT_VECTOR) ^ (uint64_t)at << 52;
}

/* The x87 registers have 10 bytes in 16. */
static void fill_x87(void)
{
    for (unsigned i = 0; i < 8; i++) {
        uint8_t *st = image + IMAGE_ST + 16 * i;
        *(uint64_t *)st = wide(SLOT_VECTOR) | BIT(63);
        *(uint16_t *)(st + 8) = (uint16_t)(0x4000 + i);
    }
    *(uint16_t *)(image + IMAGE_FCW) =
        (uint16_t)(FCW_INITIAL & ~0xc00) | (uint16_t)((identity + generation) % 4 << 10);
    *(uint64_t *)(image + IMAGE_FIP) = wide(SLOT_VECTOR + 1);
    *(uint64_t *)(image + IMAGE_FDP) = wide(SLOT_VECTOR + 2);
}

static void renew_vectors(void)
{
    memset(image, 0, sizeof(image));
    fill_x87();
    fill(IMAGE_XMM, IMAGE_XMM_END);
    *(uint32_t *)(image + IMAGE_MXCSR) =
        MXCSR_INITIAL | (uint32_t)((identity + generation) % 4 << 13);
    if (with_xsave)
        *(uint64_t *)(image + IMAGE_XSTATE) = own[STATE_XCR0];
    for (unsigned i = 2; with_xsave && i < 32; i++) {
        struct cpuid_result component = cpuid(0xd, i);
        if (!(own[STATE_XCR0] >> i & 1))
            continue;
        fill(component.ebx, component.ebx + component.eax);
        if (i == XSTATE_PKRU)
            *(uint32_t *)(image + component.ebx + 4) = 0; /* PKRU has but 32 bits */
    }
    load_vectors();
}

static void compare_vectors(const char *when)
{
    for (unsigned at = 0; at < IMAGE_SIZE; at += 8) {
        uint64_t got = *(uint64_t *)(now + at), expected = *(uint64_t *)(image + at);
        if (got == expected)
            continue;
        vector_faults++;
        report("the vector registers", when, got, expected);
        return;
    }
}

static void check_vectors(const char *when)
{
    save_vectors();
    compare_vectors(when);
}

static uint64_t random_state;

static uint64_t random_below(uint64_t n)
{
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (random_state >> 33) % n;
}

static void on_timer(struct interrupt_frame *frame)
{
    apic_eoi();
}

static void by_cpuid(void)
{
    cpuid(0, 0);
}

static void by_port(void)
{
    outb(UART_SCR, inb(UART_SCR));
}

static void by_memory(void)
{
    *(volatile uint32_t *)UNCLAIMED = *(volatile uint32_t *)UNCLAIMED;
}

static void by_msr(void)
{
    wrmsr(MSR_IA32_PAT, own[STATE_PAT]);
}

static void by_syscall_msr(void)
{
    own[STATE_LSTAR] = wide((unsigned)random_below(0x80));
    wrmsr(MSR_IA32_LSTAR, own[STATE_LSTAR]);
}

static void by_hlt(void)
{
    apic_write(APIC_INITIAL_COUNT, (uint32_t)random_below(SLEEP_MAX) + 1);
    sti_hlt_cli();
}

static void by_preemption(void)
{
    for (uint64_t start = rdtsc(), length = random_below(SPIN_MAX); rdtsc() - start < length;)
        cpu_relax();
}

/* No exit, and none tells of it (R34). */
static void by_swapgs(void)
{
    uint64_t gs = own[STATE_GS_BASE];

    __asm__ volatile("swapgs");
    own[STATE_GS_BASE] = own[STATE_KERNEL_GS_BASE];
    own[STATE_KERNEL_GS_BASE] = gs;
}

static const struct {
    void (*run)(void);
    const char *name;
} exits[] = {
    {by_cpuid, "after CPUID"},   {by_port, "after OUT and IN"},         {by_memory, "after MMIO"},
    {by_msr, "after WRMSR"},     {by_syscall_msr, "after LSTAR"},       {by_hlt, "after HLT"},
    {by_swapgs, "after SWAPGS"}, {by_preemption, "after a time slice"},
};

/* Nothing before this changes what a start finds, but for what start.S sets. */
static void check_start(void)
{
    for (unsigned i = 0; i < STATE_COUNT; i++)
        own[i] = state[i].reset;
    check_state("at the start");
    if (with_xsave)
        xsetbv(0, own[STATE_XCR0] = supported_xcr0());
    memset(image, 0, sizeof(image));
    *(uint16_t *)(image + IMAGE_FCW) = FCW_INITIAL;
    *(uint32_t *)(image + IMAGE_MXCSR) = MXCSR_INITIAL;
    save_vectors();
    memset(now + IMAGE_XSTATE, 0,
           8); /* which components are in their initial state: tells no value */
    compare_vectors("at the start");
}

static void verdict(const char *when)
{
    for (unsigned i = 0; i < STATE_COUNT; i++) {
        if (present[i])
            is(faults[i], 0, "%s: %s is its own", when, state[i].name);
        faults[i] = 0;
    }
    is(vector_faults, 0, "%s: the vector registers are its own", when);
    vector_faults = 0;
}

static void run_exits(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round % RENEWAL == 0) {
            generation++;
            renew_state();
            renew_vectors();
            check_vectors("as written");
        }
        unsigned i = (unsigned)random_below(ARRAY_SIZE(exits));
        exits[i].run();
        check_state(exits[i].name);
        check_vectors(exits[i].name);
    }
}

void guest_main(void)
{
    uint8_t starts = cmos_read(CMOS_STARTS) % STARTS;

    with_xsave = has_xsave();
    write_cr4(read_cr4() | CR4_OSFXSR | (with_xsave ? CR4_OSXSAVE : 0));
    identity = memory_end() >> 21;
    random_state = identity << 8 | starts;
    for (unsigned i = 0; i < STATE_COUNT; i++)
        present[i] = state[i].has();
    check_start();
    verdict(starts == 0 ? "first start" : "restart");
    apic_enable(APIC_MEMORY);
    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_write(APIC_LVT_TIMER, APIC_TIMER_ONE_SHOT | TIMER_VECTOR);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    run_exits();
    verdict("over exits");
    cmos_write(CMOS_STARTS, starts + 1);
    if (starts + 1 < STARTS) {
        tap_end();
        reset();
    }
}
