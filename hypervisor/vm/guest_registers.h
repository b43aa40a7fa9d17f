/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's view of CR0, CR4 and EFER (R28, R29); its VMCS is current. */
#pragma once

#include "hypervisor/cpu/registers.h"
#include "hypervisor/vm/cpuid.h"
#include "hypervisor/vm/vcpu.h"

/*
 * What the hypervisor owns. CR0: NE must be 1 in VMX operation; CD and NW would change how the
 * host's memory is cached; PG too where EFER is in the MSR areas, because LMA in there must follow
 * it. CR4: VMXE must be 1 and is hidden; MCE must be 1, or a machine check would shut the CPU down
 * (R44); all that CPUID does not offer. Everything else changes without an exit.
 */
#define CR0_HIDDEN (CR0_NE | CR0_CD | CR0_NW)
#define CR4_FORCED (CR4_VMXE | CR4_MCE)

/* What the guest may set of CR4; all else is reserved: #GP. */
static inline uint64_t guest_cr4_allowed(void)
{
    return ~vmread(VMCS_CR4_MASK) | CR4_MCE;
}

static inline uint64_t guest_cr0(void)
{
    return (vmread(VMCS_GUEST_CR0) & ~CR0_HIDDEN) | (vmread(VMCS_CR0_READ_SHADOW) & CR0_HIDDEN);
}

static inline uint64_t guest_cr4(void)
{
    uint64_t owned = vmread(VMCS_CR4_MASK);

    return (vmread(VMCS_GUEST_CR4) & ~owned) | (vmread(VMCS_CR4_READ_SHADOW) & owned);
}

static inline void guest_set_cr0(uint64_t value)
{
    vmwrite(VMCS_CR0_READ_SHADOW, value);
    vmwrite(VMCS_GUEST_CR0, (value & ~CR0_HIDDEN) | CR0_NE);
}

static inline void guest_set_cr4(uint64_t value)
{
    vmwrite(VMCS_CR4_READ_SHADOW, value);
    vmwrite(VMCS_GUEST_CR4, value | CR4_FORCED);
}

/* Loads the four PDPTEs of PAE paging from guest memory (R23). False: reserved bits, or no memory
 * at CR3. */
bool guest_load_pdptes(struct vcpu *v);

/* A switched MSR, in its VMCS field or, without the control for that, in the MSR area. */
uint64_t guest_switched_read(const struct vcpu *v, const struct msr_row *row);
void guest_switched_write(struct vcpu *v, const struct msr_row *row, uint64_t value);

static inline uint64_t guest_efer(const struct vcpu *v)
{
    return guest_switched_read(v, &msr_rows[MSR_ROW_EFER]);
}

/* Without LMA, which the entry control follows (R13), CS.L says nothing. */
static inline bool guest_in_64_bit_mode(void)
{
    return vmread(VMCS_GUEST_CS_ACCESS_RIGHTS) & ACCESS_L &&
           vmread(VMCS_ENTRY_CONTROLS) & CONTROL_MASK(IA32E_MODE_GUEST);
}

static inline void guest_set_efer(struct vcpu *v, uint64_t value)
{
    guest_switched_write(v, &msr_rows[MSR_ROW_EFER], value);
}
