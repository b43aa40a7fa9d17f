/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUID tells, whether it agrees with itself and with what the CPU then does (R24), and
 * Lintel's own leaves. */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define LEAF_FEATURES   1
#define LEAF_STRUCTURED 7
#define LEAF_TOPOLOGY   0xb
#define LEAF_XSAVE      0xd
#define LEAF_TSC        0x15
#define LEAF_HYPERVISOR 0x40000000
#define LEAF_TIMING     0x40000010
#define LEAF_EXTENDED   0x80000000

#define ONLY_LINTEL       "no hypervisor tells of itself"
#define PM_TIMER_HZ       3579545
#define XSAVE_LEGACY_SIZE 576

static uint32_t max_leaf;

static void test_basic(void)
{
    struct cpuid_result r = cpuid(0, 0);
    uint32_t vendor[3] = {r.ebx, r.edx, r.ecx};

    max_leaf = r.eax;
    ok(max_leaf >= 0xb, "the highest basic leaf is at least 0bh");
    ok(memcmp(vendor, "GenuineIntel", 12) == 0, "the vendor is GenuineIntel");
    r = cpuid(LEAF_EXTENDED, 0);
    ok(r.eax >= 0x80000008 && r.eax < 0x80000100, "the extended leaves reach 80000008h");
    r = cpuid(LEAF_EXTENDED + 1, 0);
    ok(r.edx >> 29 & 1, "long mode is there");
    ok(r.edx >> 20 & 1, "no-execute is there");
    ok(r.edx >> 11 & 1, "SYSCALL is there in 64-bit mode");
    r = cpuid(LEAF_EXTENDED + 8, 0);
    ok((r.eax & 0xff) >= 36 && (r.eax & 0xff) <= 52, "the physical address width is sensible");
    is(r.eax >> 8 & 0xff, cpuid(7, 0).ecx >> 16 & 1 ? 57 : 48,
       "linear addresses have 48 bits, or 57 with LA57");
}

static void test_registers(void)
{
    uint64_t rax = ~0xffffffffULL, rbx = ~0ULL, rcx = ~0xffffffffULL, rdx = ~0ULL;

    __asm__ volatile("cpuid" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx));
    is((rax | rbx | rcx | rdx) >> 32, 0, "CPUID clears the upper halves of its four registers");
}

static void test_follows_state(void)
{
    uint64_t cr4 = read_cr4();

    is(cpuid(LEAF_FEATURES, 0).ecx >> 27 & 1, 0, "OSXSAVE is clear while CR4.OSXSAVE is");
    if (has_xsave()) {
        write_cr4(cr4 | CR4_OSXSAVE);
        is(cpuid(LEAF_FEATURES, 0).ecx >> 27 & 1, 1, "OSXSAVE is set once CR4.OSXSAVE is");
        write_cr4(cr4);
    } else {
        skip("no XSAVE", "OSXSAVE is set once CR4.OSXSAVE is");
    }
    is(cpuid(LEAF_FEATURES, 0).edx >> 9 & 1, 1, "APIC is set while the local APIC is enabled");
}

static void test_topology(void)
{
    uint32_t id = *(volatile uint32_t *)(APIC_PAGE + APIC_ID) >> 24;
    struct cpuid_result r;

    is(cpuid(LEAF_FEATURES, 0).ebx >> 24, id, "the initial APIC id is the local APIC's");
    r = cpuid(LEAF_TOPOLOGY, 0);
    is(r.edx, id, "the x2APIC id is the local APIC's");
    if (has_hypervisor()) {
        is(r.ecx >> 8 & 0xff, 1, "the first topology level is SMT");
        is(cpuid(LEAF_TOPOLOGY, 1).ecx >> 8 & 0xff, 2, "the second topology level is the core");
    }
    r = cpuid(LEAF_TOPOLOGY, 2);
    is(r.ecx & 0xffff, 2, "an invalid topology level returns its number and type 0");
}

static uint32_t standard_size(uint64_t xcr0)
{
    uint32_t size = XSAVE_LEGACY_SIZE;

    for (unsigned i = 2; i < 63; i++) {
        struct cpuid_result r = cpuid(LEAF_XSAVE, i);
        if ((xcr0 & BIT(i)) && r.eax + r.ebx > size)
            size = r.eax + r.ebx;
    }
    return size;
}

static uint32_t compact_size(uint64_t components)
{
    uint32_t size = XSAVE_LEGACY_SIZE;

    for (unsigned i = 2; i < 63; i++) {
        struct cpuid_result r = cpuid(LEAF_XSAVE, i);
        if (components & BIT(i))
            size = (r.ecx & 2 ? (uint32_t)align_up(size, 64) : size) + r.eax;
    }
    return size;
}

/* R24: the sizes are consistent, so that an operating system believes them. */
static void test_xsave(void)
{
    struct cpuid_result r = cpuid(LEAF_XSAVE, 0);
    uint64_t supported = (uint64_t)r.edx << 32 | r.eax, cr4 = read_cr4();

    write_cr4(cr4 | CR4_OSXSAVE);
    is(supported & 3, 3, "XCR0 knows x87 and SSE");
    is(r.ecx, standard_size(supported), "the largest XSAVE area fits all components");
    is_no_trap(try_xsetbv(0, 1), "XCR0 takes x87 alone");
    is(cpuid(LEAF_XSAVE, 0).ebx, XSAVE_LEGACY_SIZE, "the XSAVE area for x87 is legacy and header");
    is_no_trap(try_xsetbv(0, supported), "XCR0 takes all that CPUID offers");
    is(cpuid(LEAF_XSAVE, 0).ebx, r.ecx, "the XSAVE area for all is the largest");
    r = cpuid(LEAF_XSAVE, 1);
    if (has_hypervisor() && (r.eax & 2))
        is(r.ebx, compact_size(supported), "the compacted XSAVE area fits all components");
    else
        skip("no XSAVEC, or the bare machine", "the compacted XSAVE area fits all components");
    write_cr4(cr4);
}

static void test_hidden(void)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } hidden[] = {
        {2, "DTES64"}, {3, "MONITOR"}, {5, "VMX"}, {6, "SMX"}, {15, "PDCM"}, {18, "DCA"},
    };
    uint32_t ecx = cpuid(LEAF_FEATURES, 0).ecx;

    for (unsigned i = 0; i < ARRAY_SIZE(hidden); i++)
        is(ecx >> hidden[i].bit & 1, 0, "%s is hidden", hidden[i].name);
    ok(has_x2apic(), "x2APIC is offered");
    ok(has_tsc_deadline(), "the TSC deadline is offered");
}

/* The TSC ticks while the PM timer counts 1/50 s, scaled to kHz. */
static uint64_t measure_tsc_khz(void)
{
    uint32_t start = inl(PM_TIMER) & 0xffffff, passed;
    uint64_t tsc = rdtsc();

    do
        passed = (inl(PM_TIMER) - start) & 0xffffff;
    while (passed < PM_TIMER_HZ / 50);
    return (rdtsc() - tsc) * (PM_TIMER_HZ / 1000) / passed;
}

static void test_frequency(void)
{
    const char *description = "the TSC frequency of leaf 15h is the measured one";
    struct cpuid_result r = cpuid(LEAF_TSC, 0);
    uint64_t told, measured;

    if (max_leaf < LEAF_TSC || r.eax == 0) {
        skip("no leaf 15h", "%s", description);
        return;
    }
    told = r.eax == 0 ? 0 : (uint64_t)r.ecx * r.ebx / r.eax / 1000;
    measured = measure_tsc_khz();
    if (!ok(told > measured * 98 / 100 && told < measured * 102 / 100, "%s", description))
        diag("told %lu kHz, measured %lu kHz", told, measured);
}

static void test_hypervisor_leaves(void)
{
    struct cpuid_result r = cpuid(LEAF_HYPERVISOR, 0);
    uint32_t signature[3] = {r.ebx, r.ecx, r.edx};

    ok(memcmp(signature, "KVMKVMKVM\0\0", 12) == 0, "the hypervisor leaves speak KVM's interface");
    ok(r.eax >= LEAF_HYPERVISOR + 1, "there is a feature leaf");
    r = cpuid(LEAF_HYPERVISOR + 1, 0);
    bool exact = cpuid(LEAF_TIMING, 0).eax != 0;
    is(r.eax >> 3 & 1, exact, "the clock's new MSRs are offered where its frequency is known");
    is(r.eax >> 24 & 1, exact, "the clock is stable then");
}

/* Last: Bochs does not switch a local APIC on again. */
static void test_apic_off(void)
{
    wrmsr(MSR_IA32_APIC_BASE, rdmsr(MSR_IA32_APIC_BASE) & ~(uint64_t)APIC_BASE_ENABLE);
    is(cpuid(LEAF_FEATURES, 0).edx >> 9 & 1, 0, "APIC is clear once the local APIC is disabled");
}

void guest_main(void)
{
    test_basic();
    test_registers();
    test_follows_state();
    test_topology();
    if (has_xsave())
        test_xsave();
    if (has_hypervisor()) {
        test_hidden();
        test_frequency();
        test_hypervisor_leaves();
    } else {
        skip(ONLY_LINTEL, "what only Lintel's CPUID says");
    }
    test_apic_off();
}
