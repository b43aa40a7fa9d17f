/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of MSRs, each by one rule (R27, R31): it is there if CPUID says so, and only then; it
 * takes each bit that it has, and refuses each other one, which changes nothing. The rules are the
 * SDM's (volume 4, "Architectural MSRs"), so that the verdicts are the same on the bare machine,
 * whatever either offers.
 */
#include "guests/lib/guest.h"

#define MARKER 0x1122334455667788

enum kind {
    BITS,      /* each by itself */
    DIRECT,    /* likewise; what the CPU refuses is its own business, with a hypervisor as well */
    ADDRESS,   /* likewise; and with all of the upper half's */
    COMMAND,   /* likewise, and nothing can be read */
    READ_ONLY, /* no write at all */
};

struct row {
    uint32_t index;
    const char *name;
    enum kind kind;
    bool there;    /* by CPUID */
    uint64_t bits; /* that can be written, by CPUID */
    const char
        *differ; /* why the bare machine is not asked: Bochs is not the SDM (docs/emulator.md) */
};

static bool is_gp(struct trap trap)
{
    return trap.vector == VECTOR_GP && trap.error_code == 0;
}

static struct trap try_access(const struct row *r)
{
    uint64_t value = MARKER;

    return r->kind == COMMAND ? try_wrmsr(r->index, 0) : try_rdmsr(r->index, &value);
}

static bool is_absent(const struct row *r)
{
    uint64_t value = MARKER;

    return is_gp(try_rdmsr(r->index, &value)) && value == MARKER && is_gp(try_wrmsr(r->index, 0)) &&
           is_gp(try_wrmsr(r->index, 1));
}

static bool takes(const struct row *r, uint64_t value)
{
    return try_wrmsr(r->index, value).vector == NO_TRAP &&
           (r->kind == COMMAND || rdmsr(r->index) == value);
}

static bool refuses(const struct row *r, uint64_t value, uint64_t before)
{
    return is_gp(try_wrmsr(r->index, value)) && (r->kind == COMMAND || rdmsr(r->index) == before);
}

/* A write of what it has would change nothing, and is refused all the same. */
static void test_read_only(const struct row *r)
{
    uint64_t value = rdmsr(r->index);

    ok(refuses(r, value, value) && refuses(r, 0, value), "%s is read-only", r->name);
}

static void test_written(const struct row *r)
{
    uint64_t before = r->kind == COMMAND ? 0 : rdmsr(r->index), value = MARKER, upper;
    bool taken = takes(r, 0), refused = true;

    for (unsigned bit = 0; bit < 64; bit++) {
        bool mine = r->bits >> bit & 1;
        if (r->kind == DIRECT && !mine)
            continue;
        bool good = mine ? takes(r, BIT(bit)) : refuses(r, BIT(bit), 0);
        if (!good)
            diag("%s, bit %u", r->name, bit);
        taken = takes(r, 0) && (good || !mine) && taken;
        refused = (good || mine) && refused;
    }
    if (r->kind == ADDRESS) {
        upper = ~(r->bits | (BIT(12) - 1));
        taken = takes(r, upper) && takes(r, 0) && taken;
        refused = refuses(r, upper ^ BIT(63), 0) && refused;
    }
    ok(taken, "%s takes each bit that it has", r->name);
    if (r->kind != DIRECT)
        ok(refused, "%s refuses each other one", r->name);
    if (r->kind == COMMAND)
        ok(is_gp(try_rdmsr(r->index, &value)) && value == MARKER, "%s cannot be read", r->name);
    else
        wrmsr(r->index, before);
}

/* Whoever else has it says more of it. */
static void skip_written(const struct row *r)
{
    static const char none[] = "CPUID has none";

    if (r->kind == READ_ONLY) {
        skip(none, "%s is read-only", r->name);
        return;
    }
    skip(none, "%s takes each bit that it has", r->name);
    if (r->kind != DIRECT)
        skip(none, "%s refuses each other one", r->name);
    if (r->kind == COMMAND)
        skip(none, "%s cannot be read", r->name);
}

static void test_row(const struct row *r)
{
    if (r->differ != NULL && !has_hypervisor()) {
        skip(r->differ, "%s", r->name);
        return;
    }
    ok(r->there ? try_access(r).vector == NO_TRAP : is_absent(r), "%s is there if CPUID says so",
       r->name);
    if (!r->there) {
        skip_written(r);
        return;
    }
    if (r->kind == READ_ONLY)
        test_read_only(r);
    else
        test_written(r);
}

/* Of IA32_SPEC_CTRL, by CPUID. */
static uint64_t spec_ctrl_bits(struct cpuid_result features)
{
    static const uint16_t by_control[] = {0x80, 0x18, 0x60, 0x100, 0x400};
    uint64_t bits = 0x3 | (features.edx >> 31 ? 0x4 : 0);

    for (unsigned i = 0; features.eax >= 2 && i < ARRAY_SIZE(by_control); i++)
        if (cpuid(7, 2).edx >> i & 1)
            bits |= by_control[i];
    return bits;
}

/* Bits first to last. */
static uint64_t bits(unsigned first, unsigned last)
{
    return (~0ULL << first) & (~0ULL >> (63 - last));
}

static uint64_t arch_capabilities(struct cpuid_result features)
{
    return features.edx >> 29 & 1 ? rdmsr(0x10a) : 0;
}

void guest_main(void)
{
    struct cpuid_result f1 = cpuid(1, 0), f7 = cpuid(7, 0), pmu = cpuid(0xa, 0),
                        xsave = cpuid(0xd, 1);
    struct cpuid_result extended = cpuid(0x80000001, 0);
    unsigned top = (cpuid(0x80000008, 0).eax >> 8 & 0xff) - 2; /* of an address's lower half */
    const char *la57 = top > 46 ? "Bochs goes by CR4.LA57" : NULL;
    bool cet_ss = f7.ecx >> 7 & 1, ibt = f7.edx >> 20 & 1, uintr = f7.edx >> 5 & 1;
    bool syscall = extended.edx >> 11 & 1, lm = extended.edx >> 29 & 1;
    bool sep = f1.edx >> 11 & 1, spec_ctrl = f7.edx >> 26 & 1;
    uint64_t address = bits(0, top), dword = bits(0, 31);
    uint64_t cet = (cet_ss ? 0x3 : 0) | (ibt ? 0xc3c | bits(12, top) : 0);
    uint64_t counters = (BIT(pmu.eax >> 8 & 0xff) - 1) | ((BIT(pmu.edx & 0x1f) - 1) << 32);
    const struct row rows[] = {
        {0x48, "SPEC_CTRL", BITS, spec_ctrl, spec_ctrl_bits(f7), "Bochs takes what CPUID has not"},
        {0x49, "PRED_CMD", COMMAND, spec_ctrl, 1, NULL},
        {0xe1, "UMWAIT_CONTROL", BITS, f7.ecx >> 5 & 1, dword & ~2ULL, "Bochs cuts it"},
        {0xfe, "MTRRCAP", READ_ONLY, f1.edx >> 12 & 1, 0, NULL},
        {0x10a, "ARCH_CAPABILITIES", READ_ONLY, f7.edx >> 29 & 1, 0, NULL},
        {0x10b, "FLUSH_CMD", COMMAND, f7.edx >> 28 & 1, 1, NULL},
        {0x122, "TSX_CTRL", BITS, arch_capabilities(f7) >> 7 & 1, 3, NULL},
        {0x175, "SYSENTER_ESP", ADDRESS, sep, address, la57},
        {0x176, "SYSENTER_EIP", ADDRESS, sep, address, la57},
        {0x179, "MCG_CAP", READ_ONLY, f1.edx >> 14 & 1, 0, "Bochs has none"},
        {0x17a, "MCG_STATUS", BITS, f1.edx >> 14 & 1, 7, "Bochs has none"},
        {0x1c4, "XFD", BITS, xsave.eax >> 4 & 1, bits(17, 18), NULL},
        {0x1c5, "XFD_ERR", BITS, xsave.eax >> 4 & 1, bits(17, 18), NULL},
        {0x1d9, "DEBUGCTL", BITS, true, 3, "Bochs has none"},
        {0x345, "PERF_CAPABILITIES", READ_ONLY, f1.ecx >> 15 & 1, 0, "Bochs has none"},
        {0x38f, "PERF_GLOBAL_CTRL", BITS, (pmu.eax & 0xff) >= 2, counters, "Bochs has none"},
        {0x560, "RTIT_OUTPUT_BASE", BITS, f7.ebx >> 25 & 1, 0, NULL},
        {0x600, "DS_AREA", ADDRESS, f1.edx >> 21 & 1, address, "Bochs has none"},
        {0x6a0, "U_CET", BITS, cet_ss || ibt, cet, la57},
        {0x6a2, "S_CET", BITS, cet_ss || ibt, cet, la57},
        {0x6a4, "PL0_SSP", ADDRESS, cet_ss, address & ~3ULL, la57},
        {0x6a7, "PL3_SSP", ADDRESS, cet_ss, address & ~3ULL, la57},
        {0x6a8, "INTERRUPT_SSP_TABLE_ADDR", ADDRESS, cet_ss, address, la57},
        {0x6e1, "PKRS", DIRECT, f7.ecx >> 31, dword, NULL},
        {0x985, "UINTR_RR", BITS, uintr, ~0ULL, NULL},
        {0x986, "UINTR_HANDLER", ADDRESS, uintr, address, la57},
        {0x988, "UINTR_MISC", BITS, uintr, bits(0, 39), NULL},
        {0xd93, "PASID", BITS, f7.ecx >> 29 & 1, bits(0, 19) | BIT(31), NULL},
        {0xda0, "XSS", BITS, xsave.eax >> 3 & 1, xsave.ecx | (uint64_t)xsave.edx << 32,
         cet_ss ? NULL : "Bochs 2.7 is not the SDM"},
        {0x14ce, "LBR_CTL", BITS, f7.edx >> 19 & 1, 0x7f000f, NULL},
        {0xc0000081, "STAR", BITS, syscall, ~0ULL, NULL},
        {0xc0000082, "LSTAR", ADDRESS, syscall, address, la57},
        {0xc0000083, "CSTAR", ADDRESS, syscall, address, la57},
        {0xc0000084, "FMASK", BITS, syscall, dword, "Bochs cuts it"},
        {0xc0000100, "FS_BASE", ADDRESS, lm, address, la57},
        {0xc0000101, "GS_BASE", ADDRESS, lm, address, la57},
        {0xc0000102, "KERNEL_GS_BASE", ADDRESS, lm, address, la57},
        {0xc0000103, "TSC_AUX", BITS, extended.edx >> 27 & 1, dword, "Bochs cuts it"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        test_row(&rows[i]);
}
