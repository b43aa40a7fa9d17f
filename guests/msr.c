/* SPDX-License-Identifier: BSD-2-Clause */
/* RDMSR and WRMSR: unknown ones (R27), what is checked (R29-R31), and that values stay over exits
 * (R31, R34). */
#include "guests/lib/guest.h"

#define MARKER         0x1122334455667788
#define NOT_CANONICAL  0x0000800000000000
#define CANONICAL_HIGH 0xffff800012345678
#define CANONICAL_LOW  0x00007fff87654321

#define MSR_IA32_SPEC_CTRL      0x48
#define MSR_IA32_BIOS_UPDT_TRIG 0x79
#define MSR_IA32_FLUSH_CMD      0x10b
#define MSR_IA32_DEBUGCTL       0x1d9
#define MSR_KVM_WALL_CLOCK      0x4b564d00
#define MSR_KVM_SYSTEM_TIME     0x4b564d01
#define MSR_UNKNOWN             0xc0000200

#define KVM_TIME_ENABLED 1
#define NANOSECONDS      1000000000ULL

static bool unknown(uint32_t index)
{
    uint64_t value = MARKER;
    struct trap read = try_rdmsr(index, &value);
    struct trap write = try_wrmsr(index, 0);

    if (read.vector == VECTOR_GP && read.error_code == 0 && value == MARKER &&
        write.vector == VECTOR_GP && write.error_code == 0)
        return true;
    diag("MSR 0x%x: RDMSR vector %d, WRMSR vector %d, value 0x%lx", index, (int)read.vector,
         (int)write.vector, value);
    return false;
}

/* R27: inside of the ranges of the MSR bitmap and outside of them. */
static void test_unknown(void)
{
    static const struct {
        uint32_t from, to, step;
        const char *name;
    } ranges[] = {
        {0x1400, 0x1fff, 61, "inside of the bitmap's low half"},
        {0x2000, 0x3fffffff, 3999971, "above the low half"},
        {0x40000000, 0x400000ff, 1, "the range of other hypervisors"},
        {0x40000100, 0x4b563fff, 1999993, "up to KVM's MSRs"},
        {0x4b565000, 0xbfffffff, 7999993, "up to the high half"},
        {0xc0000200, 0xc0001fff, 61, "inside of the bitmap's high half"},
        {0xc0002000, 0xffffffff, 3999971, "above the high half"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
        bool all = true;
        for (uint64_t index = ranges[i].from; index <= ranges[i].to; index += ranges[i].step)
            all = unknown((uint32_t)index) && all;
        ok(all, "unknown MSRs give #GP(0) and keep EDX:EAX: %s", ranges[i].name);
    }
    ok(unknown(0xffffffff), "the last MSR there could be is unknown");
}

static void test_registers(void)
{
    uint64_t rax = ~0ULL, rdx = ~0ULL;

    __asm__ volatile("rdmsr" : "+a"(rax), "+d"(rdx) : "c"(0xffffffff00000000 | MSR_IA32_PAT));
    is((rax | rdx) >> 32, 0, "RDMSR clears the upper halves and ignores RCX's");
}

static bool refused(uint32_t index, uint64_t value)
{
    struct trap trap = try_wrmsr(index, value);

    return trap.vector == VECTOR_GP && trap.error_code == 0;
}

static void test_efer(void)
{
    uint64_t efer = rdmsr(MSR_IA32_EFER);
    bool all = true;

    is(efer, EFER_NXE | EFER_LMA | EFER_LME, "EFER is what the kernel set");
    for (unsigned bit = 1; bit < 64; bit++)
        if (bit != 8 && bit != 10 && bit != 11)
            all = refused(MSR_IA32_EFER, efer | BIT(bit)) && all;
    ok(all, "each reserved bit of EFER gives #GP(0)");
    ok(refused(MSR_IA32_EFER, efer & ~EFER_LME), "clearing LME with paging on gives #GP(0)");
    is(rdmsr(MSR_IA32_EFER), efer, "a refused write changes nothing");
    wrmsr(MSR_IA32_EFER, efer | EFER_SCE);
    is(rdmsr(MSR_IA32_EFER), efer | EFER_SCE, "SCE can be set");
    wrmsr(MSR_IA32_EFER, efer & ~EFER_NXE);
    is(rdmsr(MSR_IA32_EFER), efer & ~EFER_NXE, "NXE and SCE can be cleared");
    wrmsr(MSR_IA32_EFER, efer & ~EFER_LMA);
    is(rdmsr(MSR_IA32_EFER), efer, "a write does not change LMA");
}

static void test_canonical(void)
{
    static const struct {
        uint32_t index;
        const char *name;
    } addresses[] = {
        {MSR_IA32_LSTAR, "LSTAR"},
        {MSR_IA32_CSTAR, "CSTAR"},
        {MSR_IA32_KERNEL_GS_BASE, "KERNEL_GS_BASE"},
        {MSR_IA32_FS_BASE, "FS_BASE"},
        {MSR_IA32_GS_BASE, "GS_BASE"},
        {MSR_IA32_SYSENTER_ESP, "SYSENTER_ESP"},
        {MSR_IA32_SYSENTER_EIP, "SYSENTER_EIP"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
        uint32_t index = addresses[i].index;
        wrmsr(index, CANONICAL_LOW);
        ok(refused(index, NOT_CANONICAL) && refused(index, ~NOT_CANONICAL),
           "%s refuses addresses that are not canonical", addresses[i].name);
        is(rdmsr(index), CANONICAL_LOW, "%s keeps its value then", addresses[i].name);
        wrmsr(index, CANONICAL_HIGH);
        is(rdmsr(index), CANONICAL_HIGH, "%s takes a high canonical address", addresses[i].name);
        wrmsr(index, 0);
    }
}

/* These never exit: what the CPU itself takes, by the width of its own addresses, stays over exits,
 * and no VM entry fails for it. */
static void test_fsgsbase(void)
{
    uint64_t fs = rdmsr(MSR_IA32_FS_BASE), now;

    if (!(cpuid(7, 0).ebx & 1)) {
        skip("no FSGSBASE", "WRFSBASE");
        return;
    }
    write_cr4(read_cr4() | CR4_FSGSBASE);
    __asm__ volatile("wrfsbase %0" : : "r"(CANONICAL_HIGH));
    is(rdmsr(MSR_IA32_FS_BASE), CANONICAL_HIGH, "WRFSBASE takes a canonical address");
    struct trap trap = TRY_ASM("wrfsbase %0", : "r"(NOT_CANONICAL));
    cpuid(0, 0);
    outb(UART_SCR, 0);
    __asm__ volatile("rdfsbase %0" : "=r"(now));
    is(now, trap.vector == VECTOR_GP ? CANONICAL_HIGH : NOT_CANONICAL,
       "what WRFSBASE took or refused stays over exits");
    wrmsr(MSR_IA32_FS_BASE, fs);
    write_cr4(read_cr4() & ~CR4_FSGSBASE);
}

static void test_syscall_values(void)
{
    wrmsr(MSR_IA32_STAR, MARKER);
    is(rdmsr(MSR_IA32_STAR), MARKER, "STAR takes any value");
    wrmsr(MSR_IA32_FMASK, 0xffffffff);
    is(rdmsr(MSR_IA32_FMASK), 0xffffffff, "FMASK takes 32 bits");
    if (has_hypervisor())
        ok(refused(MSR_IA32_FMASK, BIT(32)) && refused(MSR_IA32_FMASK, BIT(63)),
           "FMASK's high half is reserved");
    else
        skip("Bochs cuts it", "FMASK's high half is reserved");
    wrmsr(MSR_IA32_SYSENTER_CS, 0x1234);
    is(rdmsr(MSR_IA32_SYSENTER_CS), 0x1234, "SYSENTER_CS takes a selector");
}

static void test_pat(void)
{
    uint64_t pat = rdmsr(MSR_IA32_PAT);
    bool all = true;

    for (unsigned entry = 0; entry < 8; entry++)
        for (unsigned type = 0; type < 256; type++)
            if (type == 2 || type == 3 || type >= 8)
                all = refused(MSR_IA32_PAT,
                              (pat & ~(0xffULL << entry * 8)) | (uint64_t)type << entry * 8) &&
                      all;
    ok(all, "each reserved memory type in PAT gives #GP(0)");
    wrmsr(MSR_IA32_PAT, 0x0007010600070406);
    is(rdmsr(MSR_IA32_PAT), 0x0007010600070406, "PAT takes all types");
    wrmsr(MSR_IA32_PAT, pat);
}

static void test_apic_base(void)
{
    uint64_t base = rdmsr(MSR_IA32_APIC_BASE);

    is(base, APIC_PAGE | APIC_BASE_ENABLE | APIC_BASE_BSP, "APIC_BASE after reset");
    ok(refused(MSR_IA32_APIC_BASE, base | 1), "a reserved bit of APIC_BASE gives #GP(0)");
    ok(refused(MSR_IA32_APIC_BASE, base | 1ULL << 52), "an address beyond the width gives #GP(0)");
    ok(refused(MSR_IA32_APIC_BASE, (base & ~(uint64_t)APIC_BASE_ENABLE) | APIC_BASE_X2APIC),
       "EXTD without EN gives #GP(0)");
    ok(unknown(MSR_IA32_X2APIC + APIC_ID / 16), "the x2APIC's MSRs are not there in xAPIC mode");
    if (has_hypervisor())
        ok(refused(MSR_IA32_APIC_BASE, base ^ BIT(12)) &&
               refused(MSR_IA32_APIC_BASE, base ^ BIT(35)),
           "the registers do not move: another address gives #GP(0)");
    else
        skip("the bare machine's can", "the registers do not move");
    is(rdmsr(MSR_IA32_APIC_BASE), base, "APIC_BASE is unchanged");
}

static void test_mtrr(void)
{
    uint64_t value = rdmsr(MSR_IA32_MTRR_DEF_TYPE);

    if (!has_hypervisor()) {
        skip("the firmware's are in use", "MTRRs");
        return;
    }
    ok(refused(MSR_IA32_MTRRCAP, rdmsr(MSR_IA32_MTRRCAP)), "MTRRCAP is read-only");
    ok(refused(MSR_IA32_MTRR_DEF_TYPE, 2) && refused(MSR_IA32_MTRR_DEF_TYPE, 0x1000),
       "a reserved default type or bit gives #GP(0)");
    if ((rdmsr(MSR_IA32_MTRRCAP) & 0xff) > 0) {
        wrmsr(MSR_IA32_MTRR_PHYSBASE0, 0x12345006);
        wrmsr(MSR_IA32_MTRR_PHYSMASK0, 0xfffff000);
        is(rdmsr(MSR_IA32_MTRR_PHYSBASE0), 0x12345006, "a variable range's base reads back");
        is(rdmsr(MSR_IA32_MTRR_PHYSMASK0), 0xfffff000, "a variable range's mask reads back");
        ok(refused(MSR_IA32_MTRR_PHYSBASE0, 2), "a variable range refuses a reserved type");
        wrmsr(MSR_IA32_MTRR_PHYSMASK0, 0);
    }
    wrmsr(MSR_IA32_MTRR_DEF_TYPE, value);
    is(rdmsr(MSR_IA32_MTRR_DEF_TYPE), value, "the default type reads back");
}

/* Bits that promise an MSR: IA32_TSX_CTRL, and more of them. */
#define PROMISES (BIT(3) | BIT(7) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(18) | BIT(25))

/* The bits of IA32_SPEC_CTRL that CPUID tells of (SDM volume 4). */
static uint64_t spec_ctrl_bits(void)
{
    static const uint16_t by_control[] = {0x80, 0x18, 0x60, 0x100, 0x400};
    struct cpuid_result features = cpuid(7, 0);
    uint64_t bits = 0x3 | (features.edx >> 31 ? 0x4 : 0);

    for (unsigned i = 0; features.eax >= 2 && i < ARRAY_SIZE(by_control); i++)
        if (cpuid(7, 2).edx >> i & 1)
            bits |= by_control[i];
    return bits;
}

/* One bit of CPUID promises both. What is written reads back, whatever else the CPU holds. */
static void test_spec_ctrl(void)
{
    uint64_t value = 0, bits;
    bool all = true;

    if (!(cpuid(7, 0).edx >> 26 & 1)) {
        ok(refused(MSR_IA32_SPEC_CTRL, 0) && refused(MSR_IA32_PRED_CMD, 1),
           "SPEC_CTRL and PRED_CMD are not there if CPUID does not say so");
        return;
    }
    bits = spec_ctrl_bits();
    is(rdmsr(MSR_IA32_SPEC_CTRL), 0, "SPEC_CTRL after reset");
    for (unsigned bit = 0; bit < 11; bit++) {
        if (!(bits >> bit & 1))
            continue;
        wrmsr(MSR_IA32_SPEC_CTRL, BIT(bit));
        cpuid(0, 0);
        outb(UART_SCR, 0);
        all = rdmsr(MSR_IA32_SPEC_CTRL) == BIT(bit) && all;
    }
    ok(all, "each bit of SPEC_CTRL that CPUID tells of stays over exits");
    ok(refused(MSR_IA32_SPEC_CTRL, BIT(9)) && refused(MSR_IA32_SPEC_CTRL, BIT(11)) &&
           refused(MSR_IA32_SPEC_CTRL, BIT(63)),
       "SPEC_CTRL's reserved bits are refused");
    if (has_hypervisor()) {
        for (unsigned bit = 0; bit < 64; bit++)
            if (!(bits >> bit & 1))
                all = refused(MSR_IA32_SPEC_CTRL, BIT(bit)) && all;
        ok(all, "so are those that CPUID does not tell of");
    } else {
        skip("Bochs takes them", "so are those that CPUID does not tell of");
    }
    wrmsr(MSR_IA32_SPEC_CTRL, bits);
    is(rdmsr(MSR_IA32_SPEC_CTRL), bits, "SPEC_CTRL takes all of them");
    wrmsr(MSR_IA32_SPEC_CTRL, 0);
    is(rdmsr(MSR_IA32_SPEC_CTRL), 0, "SPEC_CTRL takes 0");
    ok(!refused(MSR_IA32_PRED_CMD, 1) && refused(MSR_IA32_PRED_CMD, 2),
       "PRED_CMD takes IBPB, and no reserved bit");
    ok(try_rdmsr(MSR_IA32_PRED_CMD, &value).vector == VECTOR_GP, "PRED_CMD cannot be read");
}

/* What the CPU says of its flaws, and a command: there if CPUID says so, and only then. */
static void test_speculation(void)
{
    uint64_t value = 0, nothing = 0;
    uint32_t features = cpuid(7, 0).edx;
    struct trap trap = try_rdmsr(MSR_IA32_ARCH_CAPABILITIES, &value);

    ok((trap.vector == VECTOR_GP) == !(features >> 29 & 1),
       "ARCH_CAPABILITIES can be read if CPUID says so");
    ok(refused(MSR_IA32_ARCH_CAPABILITIES, value), "ARCH_CAPABILITIES is read-only");
    ok(refused(MSR_IA32_FLUSH_CMD, 1) == !(features >> 28 & 1),
       "FLUSH_CMD empties the L1 data cache if CPUID says so");
    ok(refused(MSR_IA32_FLUSH_CMD, 2), "FLUSH_CMD refuses a reserved bit");
    trap = try_rdmsr(MSR_IA32_FLUSH_CMD, &nothing);
    ok(trap.vector == VECTOR_GP && trap.error_code == 0, "FLUSH_CMD cannot be read");
    if (!has_hypervisor()) {
        skip("the machine may have them", "ARCH_CAPABILITIES promises no other MSR");
        return;
    }
    is(value & PROMISES, 0, "ARCH_CAPABILITIES promises a guest no other MSR");
    ok(!(features >> 29 & 1) || value & BIT(6),
       "ARCH_CAPABILITIES says that pages may change their size (itlb)");
}

static uint64_t debugctl_in_handler = ~0ULL;

static void on_debug(struct interrupt_frame *frame)
{
    debugctl_in_handler = rdmsr(MSR_IA32_DEBUGCTL);
}

/* Each bit of DEBUGCTL by itself. LBR and BTF end with a #DB, as on the CPU (R43). */
static void test_debugctl(void)
{
    static const uint64_t writable = 3;
    uint64_t all = 0;
    bool good = true;

    for (unsigned bit = 0; bit < 64; bit++) {
        struct trap trap = try_wrmsr(MSR_IA32_DEBUGCTL, BIT(bit));
        outb(UART_SCR, 0);
        cpuid(0, 0);
        all |= rdmsr(MSR_IA32_DEBUGCTL);
        good = trap.vector == (writable >> bit & 1 ? NO_TRAP : VECTOR_GP) &&
               rdmsr(MSR_IA32_DEBUGCTL) == (writable >> bit & 1 ? BIT(bit) : 0) && good;
        wrmsr(MSR_IA32_DEBUGCTL, 0);
    }
    is(all, writable, "DEBUGCTL has LBR and BTF");
    ok(good, "each stays over exits, and each other bit gives #GP(0)");
    wrmsr(MSR_IA32_DEBUGCTL, writable);
    interrupt_handle(VECTOR_DB, on_debug);
    __asm__ volatile("int1");
    interrupt_handle(VECTOR_DB, NULL);
    is(debugctl_in_handler, 0, "a #DB clears them");
    is(rdmsr(MSR_IA32_DEBUGCTL), 0, "for good");
}

/* What guests are not given: #GP, and nothing in CPUID that tells of it. */
static void test_absent(void)
{
    enum { EAX, EBX, ECX, EDX };
    static const struct {
        uint32_t first, last, leaf, subleaf, reg, bits;
    } rows[] = {
#define ABSENT(first, last, name, leaf, subleaf, reg, bits, why)                                   \
    {first, last, leaf, subleaf, reg, bits},
#include "guests/msr_absent.def"
    };
    bool none = true, hidden = true;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cpuid_result r = cpuid(rows[i].leaf, rows[i].subleaf);
        uint32_t reg[] = {r.eax, r.ebx, r.ecx, r.edx};
        for (uint32_t index = rows[i].first; index <= rows[i].last; index++)
            none = unknown(index) && none;
        if (!(reg[rows[i].reg] & rows[i].bits))
            continue;
        diag("CPUID %x.%u tells of MSR %x", rows[i].leaf, rows[i].subleaf, rows[i].first);
        hidden = false;
    }
    ok(none, "what a guest is not given gives #GP(0)");
    ok(hidden, "nor does CPUID tell of it");
}

/* Without the wait that WRMSR has; whoever looks at writes sees these, too. */
static struct trap try_wrmsrns(uint32_t index, uint64_t value)
{
    return TRY_ASM(".byte 0x0f, 0x01, 0xc6", : "c"(index), "a"((uint32_t)value),
                   "d"((uint32_t)(value >> 32)));
}

static void test_wrmsrns(void)
{
    struct trap trap = try_wrmsrns(MSR_IA32_LSTAR, 0x123456789000);

    if (trap.vector == VECTOR_UD) {
        skip("the CPU has none", "WRMSRNS");
        return;
    }
    is_no_trap(trap, "WRMSRNS of IA32_LSTAR");
    is(rdmsr(MSR_IA32_LSTAR), 0x123456789000, "it is written");
    is_trap(try_wrmsrns(MSR_IA32_LSTAR, BIT(62)), VECTOR_GP, 0, "WRMSRNS of what is not canonical");
    is_trap(try_wrmsrns(MSR_UNKNOWN, 0), VECTOR_GP, 0, "WRMSRNS of an MSR that is not there");
    is(rdmsr(MSR_IA32_LSTAR), 0x123456789000, "that changes nothing");
}

static void test_tsc(void)
{
    uint64_t target = rdtsc() + BIT(40), now;

    wrmsr(MSR_IA32_TSC, target);
    now = rdtsc();
    ok(now >= target && now - target < 1000000, "a write to the TSC moves it");
    now = rdtsc();
    ok(rdmsr(MSR_IA32_TSC) - now < 1000000, "the MSR and RDTSC show the same TSC");
    if (!has_tsc_adjust()) {
        skip("no TSC_ADJUST", "TSC_ADJUST moves the TSC");
        return;
    }
    uint64_t adjust = rdmsr(MSR_IA32_TSC_ADJUST);
    now = rdtsc();
    wrmsr(MSR_IA32_TSC_ADJUST, adjust + BIT(41));
    ok(rdtsc() - now - BIT(41) < 1000000, "TSC_ADJUST moves the TSC");
    is(rdmsr(MSR_IA32_TSC_ADJUST), adjust + BIT(41), "TSC_ADJUST reads back");
}

/* Now, in nanoseconds since 1970, by both of KVM's clocks (Linux's
 * Documentation/virt/kvm/x86/msr.rst). */
static uint64_t kvm_now(void)
{
    static volatile struct {
        uint32_t version, seconds, nanoseconds;
    } wall;
    static volatile struct {
        uint32_t version, padding;
        uint64_t tsc_timestamp, system_time;
        uint32_t multiplier;
        int8_t shift;
        uint8_t flags, padding2[2];
    } system __attribute__((aligned(32)));

    wrmsr(MSR_KVM_WALL_CLOCK, (uint64_t)&wall);
    wrmsr(MSR_KVM_SYSTEM_TIME, (uint64_t)&system | KVM_TIME_ENABLED);
    uint64_t ticks = rdtsc() - system.tsc_timestamp;
    ticks = system.shift >= 0 ? ticks << system.shift : ticks >> -system.shift;
    wrmsr(MSR_KVM_SYSTEM_TIME, 0);
    return wall.seconds * NANOSECONDS + wall.nanoseconds + system.system_time +
           (uint64_t)((unsigned __int128)ticks * system.multiplier >> 32);
}

/* Also where the TSC has less than it had when the host read its own clock. */
static void test_kvm_clocks(void)
{
    uint64_t before, after;

    if (!has_kvmclock()) {
        skip("no KVM's interface", "KVM's clocks");
        return;
    }
    before = kvm_now();
    ok(before / NANOSECONDS > 1600000000 && before / NANOSECONDS < UINT32_MAX,
       "KVM's clocks tell a time of this century");
    wrmsr(MSR_IA32_TSC, 0);
    after = kvm_now();
    ok(after - before < NANOSECONDS, "KVM's clocks tell the same time when the TSC is moved back");
}

static void test_tsc_aux(void)
{
    uint32_t low, high, aux;

    if (!(cpuid(0x80000001, 0).edx >> 27 & 1)) {
        skip("no RDTSCP", "RDTSCP shows TSC_AUX");
        return;
    }
    wrmsr(MSR_IA32_TSC_AUX, 0x87654321);
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
    is(aux, 0x87654321, "RDTSCP shows TSC_AUX");
    is(rdmsr(MSR_IA32_TSC_AUX), 0x87654321, "TSC_AUX reads back");
    ok(((uint64_t)high << 32 | low) - rdtsc() > BIT(63), "RDTSCP reads the TSC");
}

/* IN and OUT go to ring 3 and back, CPUID to ring 0: the values are the guest's after each. */
static void test_kept_over_exits(void)
{
    static const struct {
        uint32_t index;
        uint64_t value;
        const char *name;
    } kept[] = {
        {MSR_IA32_STAR, 0x0023001012345678, "STAR"},
        {MSR_IA32_LSTAR, 0xffffffff81000000, "LSTAR"},
        {MSR_IA32_CSTAR, 0xffffffff82000000, "CSTAR"},
        {MSR_IA32_FMASK, 0x00047700, "FMASK"},
        {MSR_IA32_KERNEL_GS_BASE, 0xffff888012345000, "KERNEL_GS_BASE"},
        {MSR_IA32_FS_BASE, 0x00007f0012345678, "FS_BASE"},
        {MSR_IA32_GS_BASE, 0xffff888000001000, "GS_BASE"},
        {MSR_IA32_SYSENTER_CS, 0x10, "SYSENTER_CS"},
        {MSR_IA32_SYSENTER_ESP, 0xfffffe0000003000, "SYSENTER_ESP"},
        {MSR_IA32_SYSENTER_EIP, 0xffffffff83000000, "SYSENTER_EIP"},
        {MSR_IA32_PAT, 0x0007050600070106, "PAT"},
    };
    uint64_t changed = 0, gs;

    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
        wrmsr(kept[i].index, kept[i].value);
    for (unsigned round = 0; round < 50; round++) {
        outb(UART_SCR, (uint8_t)round);
        if (inb(UART_SCR) != round)
            changed |= BIT(63);
        cpuid(0, 0);
        __asm__ volatile("swapgs");
        outb(UART_SCR, 0);
        for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
            if (kept[i].index != MSR_IA32_KERNEL_GS_BASE && kept[i].index != MSR_IA32_GS_BASE &&
                rdmsr(kept[i].index) != kept[i].value)
                changed |= BIT(i);
        gs = rdmsr(MSR_IA32_KERNEL_GS_BASE);
        __asm__ volatile("swapgs");
        if (gs != 0xffff888000001000 || rdmsr(MSR_IA32_KERNEL_GS_BASE) != 0xffff888012345000)
            changed |= BIT(62);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
        is(changed >> i & 1, 0, "%s stays over exits", kept[i].name);
    is(changed >> 62 & 1, 0, "SWAPGS swaps over exits");
    is(changed >> 63, 0, "the exits answered");
}

/* One bit at a time. */
static void test_misc_enable(void)
{
    static const uint64_t writable = BIT(0) | BIT(3) | BIT(18) | BIT(22) | BIT(34);
    uint64_t before = rdmsr(MSR_IA32_MISC_ENABLE);

    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t value = before ^ BIT(bit);
        struct trap trap = try_wrmsr(MSR_IA32_MISC_ENABLE, value);
        bool may = writable >> bit & 1;
        if (trap.vector != (may ? NO_TRAP : VECTOR_GP) ||
            rdmsr(MSR_IA32_MISC_ENABLE) != (may ? value : before))
            ok(false, "bit %u of MISC_ENABLE: vector %d", bit, (int)trap.vector);
        wrmsr(MSR_IA32_MISC_ENABLE, before);
    }
    is(rdmsr(MSR_IA32_MISC_ENABLE), before, "MISC_ENABLE takes its value back");
}

static void test_lintel(void)
{
    uint64_t value = 0;

    is_no_trap(try_wrmsr(MSR_IA32_BIOS_SIGN_ID, 0), "the microcode signature takes a 0");
    is_no_trap(try_rdmsr(MSR_IA32_BIOS_SIGN_ID, &value), "the microcode signature reads");
    is_no_trap(try_wrmsr(MSR_IA32_BIOS_UPDT_TRIG, 0x400000),
               "a microcode update is ignored"); /* R45 */
    is(value & UINT32_MAX, 0, "the microcode signature has its revision in the high half");
    ok(value >> 32 != UINT32_MAX, "the microcode is not one that claims every fix"); /* R45 */
    test_misc_enable();
    test_debugctl();
    test_absent();
}

void guest_main(void)
{
    test_unknown();
    test_registers();
    test_efer();
    test_canonical();
    test_fsgsbase();
    test_syscall_values();
    test_wrmsrns();
    test_pat();
    test_apic_base();
    test_mtrr();
    test_speculation();
    test_spec_ctrl();
    test_tsc();
    test_kvm_clocks();
    test_tsc_aux();
    test_kept_over_exits();
    if (has_hypervisor())
        test_lintel();
    else
        skip("the bare machine has them", "MSRs that only Lintel answers so");
}
