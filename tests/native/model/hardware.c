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

static bool is_hole(uint64_t address)
{
    uint64_t high = address >> 47;

    return high != 0 && high != 0x1ffff;
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

bool sim_refuses(unsigned msr, uint64_t value)
{
    switch (msr) {
    case MODEL_STAR:
        return false;
    case MODEL_LSTAR:
    case MODEL_CSTAR:
    case MODEL_KERNEL_GS_BASE:
        return is_hole(value);
    case MODEL_SPEC_CTRL:
        return (value & ~0x5ffULL) != 0;
    case MODEL_FMASK:
        return has_high_half(value);
    case MODEL_TSC_AUX:
        return !sim.has_tsc_aux || has_high_half(value);
    case MODEL_EFER:
        return (value & ~0xd01ULL) != 0;
    case MODEL_PAT:
        return is_bad_pat(value);
    default:
        return true; /* an MSR that nobody has a reason to load */
    }
}

uint64_t rdmsr(uint32_t index)
{
    unsigned msr = number(index);

    sim.reads++;
    if (msr == MODEL_MSRS || (msr == MODEL_TSC_AUX && !sim.has_tsc_aux)) {
        sim_break("checked-writes");
        return 0;
    }
    return sim.cpu->msr[msr];
}

void wrmsr(uint32_t index, uint64_t value)
{
    unsigned msr = number(index);

    sim.writes++;
    if (sim_refuses(msr, value)) {
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

        if (msr >= MODEL_EFER || (msr == MODEL_TSC_AUX && !sim.has_tsc_aux))
            sim_break("checked-writes");
        else
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
    if (sim_refuses(msr, written_values[slot]))
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
        if (is_forbidden(guest->index) || number(guest->index) == MODEL_MSRS ||
            guest->reserved != 0 || host->index != guest->index || host->reserved != 0)
            sim_break("area-lists");
        for (uint32_t j = 0; j < i; j++)
            if (sim.vmcs->guest_area[j].index == guest->index)
                sim_break("area-lists");
    }
}

/* An entry that would change nothing is not listed, except that of KERNEL_GS_BASE, which SWAPGS may
 * have changed. */
static void load(const struct msr_area_entry *entry)
{
    unsigned msr = number(entry->index);

    if (sim_refuses(msr, entry->value)) {
        sim_break("checked-writes");
        return;
    }
    if (sim.cpu->msr[msr] == entry->value && msr != MODEL_KERNEL_GS_BASE)
        sim_break("useful-entries");
    sim.cpu->msr[msr] = entry->value;
}

/* SDM volume 3, "Loading MSRs" (VM entries). */
void sim_entry(void)
{
    for (uint32_t i = 0; i < sim.vmcs->area_count; i++)
        load(&sim.vmcs->guest_area[i]);
}

/* SDM volume 3, "Saving MSRs", "Loading MSRs" (VM exits). */
void sim_exit(void)
{
    for (uint32_t i = 0; i < sim.vmcs->area_count; i++) {
        unsigned msr = number(sim.vmcs->guest_area[i].index);
        if (msr != MODEL_MSRS)
            sim.vmcs->guest_area[i].value = sim.cpu->msr[msr];
    }
    for (uint32_t i = 0; i < sim.vmcs->area_count; i++)
        load(&sim.vmcs->host_area[i]);
}
