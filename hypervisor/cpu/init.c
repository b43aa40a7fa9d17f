/* SPDX-License-Identifier: BSD-2-Clause */
/* Brings a CPU into the state that it keeps: segments, TSS, stacks, IDT, control registers. */
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/panic.h"

struct cpu_block boot_cpu __attribute__((section(".bss.aligned")));

PER_CPU uint32_t cpu_number;
PER_CPU struct gdt cpu_gdt;
PER_CPU struct tss cpu_tss;

static uint64_t supported_cr4(void)
{
    struct cpuid_result features = cpuid(7, 0);
    uint64_t cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    if (cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE)
        cr4 |= CR4_OSXSAVE;
    if (features.ebx & CPUID_7_EBX_SMEP)
        cr4 |= CR4_SMEP;
    if (features.ebx & CPUID_7_EBX_SMAP)
        cr4 |= CR4_SMAP;
    if (features.ecx & CPUID_7_ECX_UMIP)
        cr4 |= CR4_UMIP;
    return cr4;
}

/* What a firmware can hide from CPUID: the leaves above 2, and NX, without which NXE is a reserved
 * bit (SDM volume 4, "IA32_MISC_ENABLE"). */
static void show_features(void)
{
    uint64_t value = rdmsr_or_zero(MSR_IA32_MISC_ENABLE);
    uint64_t hides = value & (MISC_ENABLE_LIMIT_CPUID | MISC_ENABLE_XD_DISABLE);

    if (hides != 0)
        wrmsr(MSR_IA32_MISC_ENABLE, value & ~hides);
}

/* W^X rests on it. */
static void enable_nx(void)
{
    if (!(cpuid(0x80000001, 0).edx & CPUID_80000001_EDX_NX))
        stopped("this CPU cannot keep data from being executed, or does not say so: CPUID does not "
                "report NX; in a virtual "
                "machine, enable it");
    wrmsr(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) | EFER_NXE);
}

/* SDM volume 3, "Microcode Update Facilities": CPUID puts it there. */
uint64_t cpu_microcode(void)
{
    if (rdmsr_or_zero(MSR_IA32_BIOS_SIGN_ID) == 0)
        return 0;
    wrmsr(MSR_IA32_BIOS_SIGN_ID, 0);
    cpuid(1, 0);
    return rdmsr(MSR_IA32_BIOS_SIGN_ID);
}

void cpu_init(struct cpu_block *block)
{
    struct tss *tss = &CPU_OF(block, cpu_tss);

    tss_init(tss);
    for (int i = 0; i < IST_COUNT - 1; i++)
        tss->ist[i] = (uint64_t)block->ist_stack[i] + CPU_IST_SIZE;
    gdt_load(&CPU_OF(block, cpu_gdt), tss);
    idt_load();
    show_features();
    write_cr4(supported_cr4());
    write_dr7(DR7_RESET); /* no breakpoint of the firmware's */
    enable_nx();
    wrmsr(MSR_IA32_PAT, PAT_RESET);
    /* TS: a monitor that touches the vector registers is seen, and gets its own guest's. */
    write_cr0(CR0_PE | CR0_MP | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG);
}
