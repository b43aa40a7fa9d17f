/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated processor, and its instructions for msr/switch.c. What it refuses is the SDM's,
 * not the table's. */
#include "tests/native/model/hardware.h"

#include <stddef.h>

#include "hypervisor/cpu/instructions.h"
#include "lib/bits.h"

struct sim sim;

const uint32_t sim_index[MODEL_MSRS] = {
    [MODEL_STAR] = 0xc0000081,
    [MODEL_LSTAR] = 0xc0000082,
    [MODEL_CSTAR] = 0xc0000083,
    [MODEL_FMASK] = 0xc0000084,
    [MODEL_KERNEL_GS_BASE] = 0xc0000102,
    [MODEL_TSC_AUX] = 0xc0000103,
    [MODEL_EFER] = 0xc0000080,
    [MODEL_PAT] = 0x277,
    [MODEL_SPEC_CTRL] = 0x48,
    [MODEL_U_CET] = 0x6a0,
    [MODEL_PL0_SSP] = 0x6a4,
    [MODEL_PL1_SSP] = 0x6a5,
    [MODEL_PL2_SSP] = 0x6a6,
    [MODEL_PL3_SSP] = 0x6a7,
    [MODEL_XSS] = 0xda0,
    [MODEL_S_CET] = 0x6a2,
    [MODEL_SSP_TABLE] = 0x6a8,
    [MODEL_PKRS] = 0x6e1,
};

/* Reset, the host's, of vCPU 0, of vCPU 1, the firmware's, refused. */
const uint64_t sim_values[MODEL_MSRS][VALUES] = {
    [MODEL_STAR] = {0, 0x001b000800000000, 0x0023001000000000, 0x0033002011111111, 0x0005, 0},
    [MODEL_LSTAR] = {0, 0xffffffff80000100, 0xffffffff81800000, 0x00007fffffffffff, 0x1000,
                     0x0000800000000000},
    [MODEL_CSTAR] = {0, 0, 0xffff800000000000, 0x2000, 0x3000, 0xffff7fffffffffff},
    [MODEL_FMASK] = {0, 0x257fd5, 0x47700, 0xffffffff, 0x200, 0x100000000},
    [MODEL_KERNEL_GS_BASE] = {0, 0, 0xffff888000000000, 0x7f0000001000, 0x4000, 0x8000000000000000},
    [MODEL_TSC_AUX] = {0, 0x77, 0x1001, 0xffffffff, 0x5, 0x100000001},
    /* with IBRS always set: a reset leaves what the host has */
    [MODEL_SPEC_CTRL] = {0x1, 0x1, 0x3, 0x5, 0, 0x800},
    [MODEL_U_CET] = {0, 0, 0x7f0000002003, 0xffff800000001014, 0x1, 0x800000000003},
    [MODEL_PL0_SSP] = {0, 0, 0xffff888000001000, 0x2004, 0x4, 0x1001},
    [MODEL_PL1_SSP] = {0, 0, 0xffff888000002000, 0x3004, 0x8, 0x0000800000000000},
    [MODEL_PL2_SSP] = {0, 0, 0xffff888000003000, 0x4004, 0xc, 0x8000000000000000},
    [MODEL_PL3_SSP] = {0, 0, 0x7ffffffffff8, 0x5004, 0x10, 0x1002},
    [MODEL_XSS] = {0, 0, 0x800, 0x1800, 0x1000, 0x2000},
    [MODEL_S_CET] = {0, 0, 0x5, 0xffff80000000a804, 0x14, 0xc00},
    [MODEL_SSP_TABLE] = {0, 0, 0xffff888000004000, 0x6000, 0x20, 0xffff7fffffffffff},
    [MODEL_PKRS] = {0, 0, 0x55555554, 0xffffffff, 0x3, 0x100000000},
    [MODEL_EFER] = {0, 0xd01, 0x1, 0x801, 0xd01, 0x2},
    [MODEL_PAT] = {0x0007040600070406, 0x0007010600070106, 0x0606060606060606, 0x0407050600070106,
                   0x0007010600070106, 0x0007040600070206},
};

/* R26: what the SDM forbids in the areas (volume 3, "VM-Exit Controls for
 * MSRs", "Loading MSRs"). */
static bool is_forbidden(uint32_t index)
{
    return index == 0xc0000100 || index == 0xc0000101 || index >> 8 == 0x8 || index == 0x79 ||
           index == 0x8b;
}

void sim_break(const char *invariant)
{
    if (sim.broken == NULL)
        sim.broken = invariant;
}

uint8_t sim_value(unsigned msr, uint64_t value)
{
    for (uint8_t i = 0; i < VALUE_REFUSED; i++)
        if (sim_values[msr][i] == value)
            return i;
    sim_break("known-values");
    return VALUE_RESET;
}

static unsigned number(uint32_t index)
{
    unsigned msr = 0;

    while (msr < MODEL_MSRS && sim_index[msr] != index)
        msr++;
    return msr;
}

static bool has_high_half(uint64_t value)
{
    return value >> 32 != 0;
}

static bool is_hole(uint64_t address, unsigned linear_width)
{
    uint64_t high = (uint64_t)((int64_t)address >> (linear_width - 1));

    return high != 0 && high != UINT64_MAX;
}

/* SDM volume 4: bits 9:6 are reserved, and the tracker is not suppressed and waiting at once. */
static bool is_bad_cet(uint64_t value, unsigned linear_width)
{
    return is_hole(value, linear_width) || value & 0x3c0 || (value & 0xc00) == 0xc00;
}

static bool is_bad_pat(uint64_t value)
{
    for (unsigned i = 0; i < 64; i += 8) {
        unsigned type = value >> i & 0xff;
        if (type > 7 || type == 2 || type == 3)
            return true;
    }
    return false;
}

bool sim_has(unsigned msr)
{
    if (msr == MODEL_TSC_AUX)
        return sim.has_tsc_aux;
    return sim.is_modern || msr < MODEL_U_CET || msr > MODEL_PKRS;
}

bool sim_in_vmcs(unsigned msr)
{
    return sim.is_modern && msr >= MODEL_S_CET && msr <= MODEL_PKRS;
}

bool sim_unseen(unsigned msr)
{
    return msr == MODEL_KERNEL_GS_BASE || (msr >= MODEL_U_CET && msr <= MODEL_PL3_SSP);
}

uint64_t sim_after_init(unsigned msr, uint64_t value)
{
    bool is_kept = msr < MODEL_U_CET || msr == MODEL_XSS || msr == MODEL_PKRS || msr == MODEL_PAT;

    return is_kept ? value : 0;
}

bool sim_refuses(unsigned msr, uint64_t value, unsigned linear_width)
{
    if (!sim_has(msr))
        return true;
    switch (msr) {
    case MODEL_STAR:
        return false;
    case MODEL_LSTAR:
    case MODEL_CSTAR:
    case MODEL_KERNEL_GS_BASE:
    case MODEL_SSP_TABLE:
        return is_hole(value, linear_width);
    case MODEL_PL0_SSP:
    case MODEL_PL1_SSP:
    case MODEL_PL2_SSP:
    case MODEL_PL3_SSP:
        return is_hole(value, linear_width) || value & 3;
    case MODEL_U_CET:
    case MODEL_S_CET:
        return is_bad_cet(value, linear_width);
    case MODEL_XSS:
        return (value & ~0x1800ULL) != 0;
    case MODEL_SPEC_CTRL:
        return (value & ~0x5ffULL) != 0;
    case MODEL_FMASK:
    case MODEL_TSC_AUX:
    case MODEL_PKRS:
        return has_high_half(value);
    case MODEL_EFER:
        return (value & ~0xd01ULL) != 0;
    case MODEL_PAT:
        return is_bad_pat(value);
    default:
        return true; /* an MSR that nobody has a reason to load */
    }
}

/* What software may switch: an MSR that there is, and not what the VMCS has. */
static bool is_for_software(unsigned msr)
{
    if (msr != MODEL_MSRS && sim_in_vmcs(msr))
        sim_break("switched-once");
    if (msr == MODEL_MSRS || !sim_has(msr))
        sim_break("checked-writes");
    return msr != MODEL_MSRS;
}

uint64_t rdmsr(uint32_t index)
{
    unsigned msr = number(index);

    sim.reads++;
    if (!is_for_software(msr))
        return 0;
    return sim.cpu->msr[msr];
}

void wrmsr(uint32_t index, uint64_t value)
{
    unsigned msr = number(index);

    sim.writes++;
    if (!is_for_software(msr) || sim_refuses(msr, value, sim.linear_width)) {
        sim_break("checked-writes");
        return;
    }
    if (!sim.boots && sim.cpu->msr[msr] == value)
        sim_break("useful-writes");
    sim.cpu->msr[msr] = value;
}

/* A set's values are where its slots are; the instruction writes what is there already, too. */
static void each(uint64_t set, void (*access)(unsigned msr, uint64_t slot))
{
    for (; set != 0; set &= set - 1) {
        uint64_t slot = set_first(set);
        unsigned msr = slot < MSR_ROW_COUNT ? number((uint32_t)msr_index[slot]) : MODEL_MSRS;

        if (is_for_software(msr))
            access(msr, slot);
    }
}

static uint64_t *read_values;
static const uint64_t *written_values;

static void read_one(unsigned msr, uint64_t slot)
{
    read_values[slot] = sim.cpu->msr[msr];
}

static void write_one(unsigned msr, uint64_t slot)
{
    if (sim_refuses(msr, written_values[slot], sim.linear_width))
        sim_break("checked-writes");
    else
        sim.cpu->msr[msr] = written_values[slot];
}

void rdmsrlist(const uint64_t *index, uint64_t *value, uint64_t set)
{
    sim.reads++;
    read_values = value;
    each(set, read_one);
}

void wrmsrlist(const uint64_t *index, const uint64_t *value, uint64_t set)
{
    sim.writes++;
    written_values = value;
    each(set, write_one);
}

void msr_hardware_area_count(uint32_t count)
{
    if (count > MODEL_MSRS) {
        sim_break("area-lists");
        count = 0;
    }
    sim.vmcs->area_count = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct msr_area_entry *guest = &sim.vmcs->guest_area[i],
                                    *host = &sim.vmcs->host_area[i];
        if (is_forbidden(guest->index) || !is_for_software(number(guest->index)) ||
            guest->reserved != 0 || host->index != guest->index || host->reserved != 0)
            sim_break("area-lists");
        for (uint32_t j = 0; j < i; j++)
            if (sim.vmcs->guest_area[j].index == guest->index)
                sim_break("area-lists");
    }
}

/* An entry that would change nothing is not listed, except of what the guest changes unseen, as
 * SWAPGS does KERNEL_GS_BASE. */
static void load(const struct msr_area_entry *entry)
{
    unsigned msr = number(entry->index);

    if (sim_refuses(msr, entry->value, sim.linear_width)) {
        sim_break("checked-writes");
        return;
    }
    if (sim.cpu->msr[msr] == entry->value && !sim_unseen(msr))
        sim_break("useful-entries");
    sim.cpu->msr[msr] = entry->value;
}

/* SDM volume 3, "Loading Guest State", "Loading MSRs" (VM entries). */
void sim_entry(void)
{
    for (unsigned m = 0; m < MODEL_MSRS; m++)
        if (sim_in_vmcs(m))
            sim.cpu->msr[m] = sim.vmcs->field[m];
    for (uint32_t i = 0; i < sim.vmcs->area_count; i++)
        load(&sim.vmcs->guest_area[i]);
}

/* SDM volume 3, "Saving Guest State", "Saving MSRs", "Loading MSRs" (VM exits). Nothing loads the
 * host's of what the VMCS has: it has CR4.CET and CR4.PKS off. */
void sim_exit(void)
{
    for (unsigned m = 0; m < MODEL_MSRS; m++)
        if (sim_in_vmcs(m))
            sim.vmcs->field[m] = sim.cpu->msr[m];
    for (uint32_t i = 0; i < sim.vmcs->area_count; i++) {
        unsigned msr = number(sim.vmcs->guest_area[i].index);
        if (msr != MODEL_MSRS)
            sim.vmcs->guest_area[i].value = sim.cpu->msr[msr];
    }
    for (uint32_t i = 0; i < sim.vmcs->area_count; i++)
        load(&sim.vmcs->host_area[i]);
}
