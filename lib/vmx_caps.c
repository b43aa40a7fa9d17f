/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading VT-x capabilities, and whether the firmware lets them be used (R1). */
#include "lib/vmx_caps.h"

#include <stddef.h>

#include "lib/msr.h"
#include "lib/x86.h"

enum {
    MSR_VMX_BASIC = 0x480,
    MSR_VMX_PINBASED_CTLS = 0x481, /* and behind it those of PROCBASED, EXIT and ENTRY */
    MSR_VMX_MISC = 0x485,
    MSR_VMX_CR0_FIXED0 = 0x486,
    MSR_VMX_CR0_FIXED1 = 0x487,
    MSR_VMX_CR4_FIXED0 = 0x488,
    MSR_VMX_CR4_FIXED1 = 0x489,
    MSR_VMX_PROCBASED_CTLS2 = 0x48b,
    MSR_VMX_EPT_VPID_CAP = 0x48c,
    MSR_VMX_TRUE_PINBASED_CTLS = 0x48d, /* likewise */
};

#define BASIC_TRUE_CONTROLS BIT(55)

#define CPUID_ADDRESS_BITS 0x80000008U

/* A control may be 1 where the same bit is set in its MSR's high half. */
#define ALLOWED_1(bit) BIT(32 + (bit))

/* Family, model and stepping of the CPUs whose preemption timer counts at another rate than
 * IA32_VMX_MISC tells (Intel's specification updates, errata AAT59 and AAU65 among others). Older
 * ones with it have no unrestricted guest. */
#define SIGNATURE 0x0fff3fffU
static const uint32_t wrong_preemption_timer[] = {0x20652, 0x20655, 0x306a8};

static void read_cpuid(struct vmx_caps *caps, const struct caps_reader *reader)
{
    uint32_t regs[4];

    reader->cpuid(reader->ctx, 1, 0, regs);
    caps->signature = regs[0];
    caps->cpuid_vmx = regs[2] & CPUID_1_ECX_VMX;
    reader->cpuid(reader->ctx, 0x80000000U, 0, regs);
    caps->physical_bits = 36;
    caps->linear_bits = LINEAR_WIDTH;
    if (regs[0] >= CPUID_ADDRESS_BITS) {
        reader->cpuid(reader->ctx, CPUID_ADDRESS_BITS, 0, regs);
        caps->physical_bits = (uint8_t)min_u64(regs[0] & 0xff, 52);
        caps->linear_bits = (uint8_t)(regs[0] >> 8);
    }
}

/* What the CPU offers and does not do right is not there. */
static void apply_errata(struct vmx_caps *caps)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong_preemption_timer); i++)
        if ((caps->signature & SIGNATURE) == wrong_preemption_timer[i])
            caps->pin &= ~ALLOWED_1(CONTROL_BIT_PREEMPTION_TIMER);
}

static void read_controls(struct vmx_caps *caps, const struct caps_reader *reader)
{
    uint64_t (*rdmsr)(void *ctx, uint32_t index) = reader->rdmsr;
    uint32_t first =
        caps->basic & BASIC_TRUE_CONTROLS ? MSR_VMX_TRUE_PINBASED_CTLS : MSR_VMX_PINBASED_CTLS;

    caps->pin = rdmsr(reader->ctx, first);
    caps->proc = rdmsr(reader->ctx, first + 1);
    caps->exit = rdmsr(reader->ctx, first + 2);
    caps->entry = rdmsr(reader->ctx, first + 3);
    if (caps->proc & ALLOWED_1(CONTROL_BIT_SECONDARY_CONTROLS))
        caps->proc2 = rdmsr(reader->ctx, MSR_VMX_PROCBASED_CTLS2);
    if (caps->proc2 & (ALLOWED_1(CONTROL_BIT_EPT) | ALLOWED_1(CONTROL_BIT_VPID)))
        caps->ept_vpid = rdmsr(reader->ctx, MSR_VMX_EPT_VPID_CAP);
}

void vmx_caps_read(struct vmx_caps *caps, const struct caps_reader *reader)
{
    *caps = (struct vmx_caps){0};
    read_cpuid(caps, reader);
    if (!caps->cpuid_vmx)
        return;
    caps->feature_control = reader->rdmsr(reader->ctx, MSR_IA32_FEATURE_CONTROL);
    caps->basic = reader->rdmsr(reader->ctx, MSR_VMX_BASIC);
    caps->misc = reader->rdmsr(reader->ctx, MSR_VMX_MISC);
    caps->cr0_fixed0 = reader->rdmsr(reader->ctx, MSR_VMX_CR0_FIXED0);
    caps->cr0_fixed1 = reader->rdmsr(reader->ctx, MSR_VMX_CR0_FIXED1);
    caps->cr4_fixed0 = reader->rdmsr(reader->ctx, MSR_VMX_CR4_FIXED0);
    caps->cr4_fixed1 = reader->rdmsr(reader->ctx, MSR_VMX_CR4_FIXED1);
    read_controls(caps, reader);
    apply_errata(caps);
}

void caps_read_flaws(struct mitigation_facts *facts, const struct caps_reader *reader)
{
    uint32_t out[4], controls[4] = {0};

    reader->cpuid(reader->ctx, 7, 0, out);
    if (out[0] >= 2)
        reader->cpuid(reader->ctx, 7, 2, controls);
    *facts = (struct mitigation_facts){
        .features = out[3],
        .controls = controls[3],
        .rtm = out[1] & CPUID_7_EBX_RTM,
        .capabilities = reader->rdmsr(reader->ctx, MSR_IA32_ARCH_CAPABILITIES),
    };
}

const struct caps_mitigation caps_mitigations[MITIGATION_ROWS] = {
#define MITIGATION(id, name, needed, flaw, ...) {"mitigation-" name, flaw},
#define MISSING                                 MITIGATION
#include "lib/mitigations.def"
};

const char *caps_mitigation_verdict(const struct mitigation_facts *facts, enum mitigation id)
{
    return !(mitigations_needed(facts) & BIT(id)) ? "not needed"
           : id < MITIGATION_COUNT                ? "needed"
                                                  : "needed (missing)";
}

/* R1 */
enum vmx_permission vmx_permission(const struct vmx_caps *caps)
{
    if (!caps->cpuid_vmx)
        return VMX_ABSENT;
    if (!(caps->feature_control & FEATURE_CONTROL_LOCK))
        return VMX_SET_AND_LOCK;
    return caps->feature_control & FEATURE_CONTROL_OUTSIDE_SMX ? VMX_USABLE : VMX_LOCKED_OFF;
}

const char *vmx_permission_words(enum vmx_permission permission)
{
    static const char *const words[] = {
        [VMX_USABLE] = "VT-x is enabled by the firmware",
        [VMX_SET_AND_LOCK] =
            "VT-x is left open by the firmware: it can be enabled until the next reset",
        [VMX_LOCKED_OFF] = "VT-x is locked off by the firmware: enable \"Intel Virtualization "
                           "Technology\" (VT-x, VMX) "
                           "in the firmware's setup, save, and switch the machine off and on again",
        [VMX_ABSENT] = "this CPU has no VT-x, or it is hidden: CPUID does not report VMX; in a "
                       "virtual machine, enable "
                       "nested virtualization for it",
    };
    return words[permission];
}
