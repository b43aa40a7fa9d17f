/* SPDX-License-Identifier: BSD-2-Clause */
/* R23, R28: control registers. SDM volume 3, "Control Registers", and volume 2, "MOV - Move to/from
 * Control Registers". */
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/guest_registers.h"
#include "hypervisor/vm/vm.h"
#include "lib/bits.h"

#define ACCESS_MOV_TO   0
#define ACCESS_MOV_FROM 1

static uint64_t read_gpr(const struct vcpu *v, unsigned index)
{
    return index == GPR_RSP ? vmread(VMCS_GUEST_RSP) : v->gpr[index];
}

static void write_gpr(struct vcpu *v, unsigned index, uint64_t value)
{
    if (index == GPR_RSP)
        vmwrite(VMCS_GUEST_RSP, value);
    else
        v->gpr[index] = value;
}

bool guest_load_pdptes(struct vcpu *v)
{
    uint64_t table = vmread(VMCS_GUEST_CR3) & 0xffffffe0, hpa = vm_translate(v->vm, table);
    uint64_t reserved = PDPTE_RESERVED | ~(BIT(vmx.caps.physical_bits) - 1), entries[4];

    if (hpa == PHYS_MAP_NONE)
        return false;
    const uint64_t *window = window_open(hpa);
    for (unsigned i = 0; i < 4; i++)
        entries[i] = window[i];
    window_close();
    for (unsigned i = 0; i < 4; i++)
        if (entries[i] & 1 && entries[i] & reserved)
            return false;
    for (unsigned i = 0; i < 4; i++)
        vmwrite((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i), entries[i]);
    return true;
}

static bool cr0_legal(const struct vcpu *v, uint64_t value)
{
    uint64_t efer = guest_efer(v), cr4 = guest_cr4();

    if (value >> 32 != 0 || (value & CR0_PG && !(value & CR0_PE)) ||
        (value & CR0_NW && !(value & CR0_CD)))
        return false;
    if (!(value & CR0_WP) && cr4 & CR4_CET)
        return false;
    if (!(value & CR0_PG))
        return !(cr4 & CR4_PCIDE) && !guest_in_64_bit_mode();
    if (guest_cr0() & CR0_PG || !(efer & EFER_LME))
        return true;
    return cr4 & CR4_PAE && !(vmread(VMCS_GUEST_CS_ACCESS_RIGHTS) & ACCESS_L) &&
           ACCESS_TYPE(vmread(VMCS_GUEST_TR_ACCESS_RIGHTS)) != TYPE_TSS_BUSY_16;
}

/* LMA follows PG where LME is set, and the entry control follows LMA (R13). */
static void set_long_mode(struct vcpu *v, bool on)
{
    uint64_t entry = vmread(VMCS_ENTRY_CONTROLS), efer = guest_efer(v);

    guest_set_efer(v, on ? efer | EFER_LMA : efer & ~EFER_LMA);
    vmwrite(VMCS_ENTRY_CONTROLS,
            on ? entry | CONTROL_MASK(IA32E_MODE_GUEST) : entry & ~CONTROL_MASK(IA32E_MODE_GUEST));
}

static bool write_cr0_guest(struct vcpu *v, uint64_t value)
{
    uint64_t old = guest_cr0(), efer = guest_efer(v);

    if (!cr0_legal(v, value))
        return false;
    if (value & CR0_PG && !(efer & EFER_LME) && guest_cr4() & CR4_PAE &&
        (old ^ value) & (CR0_PG | CR0_CD | CR0_NW) && !guest_load_pdptes(v))
        return false;
    if ((old ^ value) & CR0_PG && efer & EFER_LME)
        set_long_mode(v, value & CR0_PG);
    guest_set_cr0(value | CR0_ET);
    return true;
}

static bool write_cr4_guest(struct vcpu *v, uint64_t value)
{
    uint64_t old = guest_cr4(), efer = guest_efer(v);
    bool paging = guest_cr0() & CR0_PG;

    if (value & ~guest_cr4_allowed() || (efer & EFER_LMA && !(value & CR4_PAE)))
        return false;
    if (value & CR4_CET && !(guest_cr0() & CR0_WP))
        return false;
    if (value & ~old & CR4_PCIDE && (!(efer & EFER_LMA) || vmread(VMCS_GUEST_CR3) & 0xfff))
        return false;
    if (paging && value & CR4_PAE && !(efer & EFER_LMA) &&
        (old ^ value) & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP) && !guest_load_pdptes(v))
        return false;
    guest_set_cr4(value);
    return true;
}

void exit_cr_access(struct vcpu *v)
{
    uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
    unsigned cr = qualification & 15, access = qualification >> 4 & 3,
             gpr = qualification >> 8 & 15;
    bool ok = true;

    if (cr == 8 && access == ACCESS_MOV_FROM) {
        write_gpr(v, gpr, vlapic_read_cr8(&v->lapic));
    } else if (access == ACCESS_MOV_TO) {
        uint64_t value = read_gpr(v, gpr);
        if (!guest_in_64_bit_mode())
            value = (uint32_t)value;
        if (cr == 0)
            ok = write_cr0_guest(v, value);
        else if (cr == 4)
            ok = write_cr4_guest(v, value);
        else if ((ok = value <= 15))
            vlapic_write_cr8(&v->lapic, value);
        v->thread.work |= WORK_INTERRUPT;
    } else {
        /* no bit that CLTS or LMSW changes is owned */
        exit_shutdown(v, SHUTDOWN_UNSUPPORTED, EXIT_REASON_CR_ACCESS);
    }
    if (!ok) {
        vcpu_raise(v, VECTOR_GP, 0);
        return;
    }
    if (cr != 8)
        vmx_flush_vpid(v->vpid); /* as the MOV would have done */
    vcpu_skip_instruction(v);
}
