/* SPDX-License-Identifier: BSD-2-Clause */
/* How a CPU is taken over whose firmware hides some of it from CPUID, and what microcode it has:
 * simulated, as no emulator here hides anything, or has microcode (R45). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"

#define FAST_STRINGS BIT(0)
#define LIMIT_CPUID  BIT(22)
#define XD_DISABLE   BIT(34)

#define REVISION 0x2b00000000

static struct {
    bool has_misc_enable, has_sign_id, is_updated, has_nx;
    uint64_t misc_enable, sign_id, efer, cr0, cr4;
    unsigned misc_enable_writes;
} cpu;
static jmp_buf stop;
static char said[256];

struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == 1) {
        if (cpu.is_updated)
            cpu.sign_id = REVISION;
        return (struct cpuid_result){.ecx = CPUID_1_ECX_XSAVE};
    }
    if (leaf == 7 && !(cpu.misc_enable & LIMIT_CPUID))
        return (struct cpuid_result){.ebx = CPUID_7_EBX_SMEP | CPUID_7_EBX_SMAP,
                                     .ecx = CPUID_7_ECX_UMIP};
    if (leaf == 0x80000001 && cpu.has_nx && !(cpu.misc_enable & XD_DISABLE))
        return (struct cpuid_result){.edx = CPUID_80000001_EDX_NX};
    return (struct cpuid_result){0};
}

static uint64_t *find(uint32_t index)
{
    switch (index) {
    case MSR_IA32_MISC_ENABLE:
        return cpu.has_misc_enable ? &cpu.misc_enable : NULL;
    case MSR_IA32_BIOS_SIGN_ID:
        return cpu.has_sign_id ? &cpu.sign_id : NULL;
    case MSR_IA32_EFER:
        return &cpu.efer;
    default:
        return NULL;
    }
}

uint64_t rdmsr(uint32_t index)
{
    assert_non_null(find(index));
    return *find(index);
}

uint64_t rdmsr_or_zero(uint32_t index)
{
    return find(index) != NULL ? *find(index) : 0;
}

void wrmsr(uint32_t index, uint64_t value)
{
    if (index == MSR_IA32_PAT)
        return;
    assert_non_null(find(index));
    /* Without NX, NXE is a reserved bit. */
    assert_false(index == MSR_IA32_EFER && value & EFER_NXE && cpu.misc_enable & XD_DISABLE);
    cpu.misc_enable_writes += index == MSR_IA32_MISC_ENABLE;
    *find(index) = value;
}

void write_cr0(uint64_t value)
{
    cpu.cr0 = value;
}

void write_cr4(uint64_t value)
{
    cpu.cr4 = value;
}

void write_dr7(uint64_t value)
{
    assert_int_equal(value, DR7_RESET);
}

void tss_init(struct tss *tss)
{
}

void gdt_load(struct gdt *gdt, struct tss *tss)
{
}

void idt_load(void)
{
}

void log_record(enum log_kind kind, uint8_t vm, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
}

void machine_end(void)
{
    longjmp(stop, 1);
}

static void take_over(void)
{
    static struct cpu_block block;

    cpu_init(&block);
    assert_int_equal(cpu.cr4 & (CR4_SMEP | CR4_SMAP | CR4_UMIP | CR4_MCE | CR4_OSXSAVE),
                     CR4_SMEP | CR4_SMAP | CR4_UMIP | CR4_MCE | CR4_OSXSAVE);
    assert_int_equal(cpu.efer, EFER_NXE);
}

/* What is hidden is shown before CPUID is believed, and nothing else of the MSR is changed. */
static void hidden(void **state)
{
    static const uint64_t hides[] = {LIMIT_CPUID, XD_DISABLE, LIMIT_CPUID | XD_DISABLE};

    for (unsigned i = 0; i < ARRAY_SIZE(hides); i++) {
        cpu = (typeof(cpu)){.has_misc_enable = true, .has_nx = true};
        cpu.misc_enable = hides[i] | FAST_STRINGS;
        take_over();
        assert_int_equal(cpu.misc_enable, FAST_STRINGS);
    }
}

static void not_hidden(void **state)
{
    for (unsigned there = 0; there < 2; there++) {
        cpu = (typeof(cpu)){.has_misc_enable = there, .has_nx = true};
        cpu.misc_enable = there ? FAST_STRINGS : 0;
        take_over();
        assert_int_equal(cpu.misc_enable_writes, 0);
    }
}

static void no_nx(void **state)
{
    static struct cpu_block block;

    cpu = (typeof(cpu)){.has_misc_enable = true};
    if (setjmp(stop) == 0) {
        cpu_init(&block);
        fail();
    }
    assert_memory_equal(said, "stopped: this CPU cannot keep data from being executed", 54);
}

/* CPUID puts the revision there, whatever was there before, if there is one; an emulator has no
 * such MSR. */
static void microcode(void **state)
{
    cpu = (typeof(cpu)){.has_sign_id = true, .sign_id = 0x1100000000, .is_updated = true};
    assert_int_equal(cpu_microcode(), REVISION);
    cpu = (typeof(cpu)){.has_sign_id = true, .sign_id = 0x1100000000};
    assert_int_equal(cpu_microcode(), 0);
    cpu = (typeof(cpu)){.has_sign_id = false};
    assert_int_equal(cpu_microcode(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden),
        cmocka_unit_test(not_hidden),
        cmocka_unit_test(no_nx),
        cmocka_unit_test(microcode),
    };

    return cmocka_run_group_tests_name("how a CPU is taken over", tests, NULL, NULL);
}
