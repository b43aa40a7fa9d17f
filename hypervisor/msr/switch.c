/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/msr/switch.h"

#include "hypervisor/lib/bits.h"

const char *const msr_strategy_names[MSR_STRATEGY_COUNT] = {
#define MSR_STRATEGY(id, name) [MSR_SWITCH_##id] = name,
#include "hypervisor/msr/strategies.def"
#undef MSR_STRATEGY
};

/*
 * What ring 3 needs, or could read, has a host value; the others mean nothing to ring 3, and stay in the CPU until
 * another guest needs them. TSC_AUX is the last, because a CPU without RDTSCP does not have it.
 */
enum { HOST_STAR, HOST_LSTAR, HOST_FMASK, HOST_TSC_AUX, HOST_COUNT };

static struct host_value {
    const struct msr_row *row;
    uint64_t value;
} host_values[HOST_COUNT] = {
    {&msr_rows[MSR_ROW_STAR], 0},
    {&msr_rows[MSR_ROW_LSTAR], 0},
    {&msr_rows[MSR_ROW_FMASK], 0},
    {&msr_rows[MSR_ROW_TSC_AUX], 0},
};

static enum msr_strategy strategy;
static struct msr_controls controls;
static uint64_t host_efer, host_pat;
static unsigned host_first, host_end; /* of host_values: what ring 3 gets in exchange */

void msr_switch_init(struct msr_cpu *cpu, enum msr_strategy chosen, const struct msr_host *host,
                     const struct msr_controls *available)
{
    strategy = chosen;
    controls = *available;
    host_efer = host->efer;
    host_pat = host->pat;
    host_values[HOST_STAR].value = host->star;
    host_values[HOST_LSTAR].value = host->lstar;
    host_values[HOST_FMASK].value = host->fmask;
    host_values[HOST_TSC_AUX].value = host->tsc_aux;
    host_first = strategy == MSR_SWITCH_NONE_NEEDED ? HOST_TSC_AUX : HOST_STAR;
    host_end = host->has_tsc_aux ? HOST_COUNT : HOST_TSC_AUX;
    for (unsigned i = HOST_STAR; i < host_end; i++)
        msr_hardware_write(host_values[i].row->first, host_values[i].value);
    *cpu = (struct msr_cpu){.owner = NULL, .host = true};
}

bool msr_switch_uses_sysenter(void)
{
    return strategy == MSR_SWITCH_NONE_NEEDED;
}

bool msr_switch_each_exit(void)
{
    return strategy == MSR_SWITCH_EAGER;
}

static void load(struct msr_context *c, uint32_t index, uint64_t value)
{
    msr_hardware_write(index, value);
    c->counters.writes++;
}

/* R32: only MSRs in which the two sides differ are swapped. */
static void list_swaps(struct msr_context *c)
{
    c->swap_count = 0;
    for (unsigned i = host_first; i < host_end; i++) {
        const struct host_value *h = &host_values[i];
        uint64_t guest = c->file.value[h->row->slot];
        if (guest != h->value)
            c->swap[c->swap_count++] = (struct msr_swap){h->row->first, guest, h->value};
    }
}

static bool is_swapped(const struct msr_row *row)
{
    for (unsigned i = host_first; i < host_end; i++)
        if (host_values[i].row == row)
            return true;
    return false;
}

/* What the CPU holds in a resident MSR: ring 3's value, the owner's, or an unknown one (false). */
static bool held_value(const struct msr_cpu *cpu, const struct msr_row *row, uint64_t *value)
{
    for (unsigned i = host_first; cpu->host && i < host_end; i++)
        if (host_values[i].row == row) {
            *value = host_values[i].value;
            return true;
        }
    if (cpu->owner != NULL)
        *value = cpu->owner->file.value[row->slot];
    return cpu->owner != NULL;
}

/* SWAPGS changes KERNEL_GS_BASE without an exit: the CPU has the only right value (R34). */
static void save_kernel_gs_base(struct msr_context *c)
{
    const struct msr_row *row = &msr_rows[MSR_ROW_KERNEL_GS_BASE];

    c->file.value[row->slot] = msr_hardware_read(row->first);
    c->counters.reads++;
}

static void change_owner(struct msr_cpu *cpu, struct msr_context *c)
{
    const struct msr_row *rows[MSR_RESIDENT_MAX];
    size_t count = msr_resident(c->file.features, rows);

    if (cpu->owner != NULL)
        save_kernel_gs_base(cpu->owner);
    for (size_t i = 0; i < count; i++) {
        uint64_t value = c->file.value[rows[i]->slot], held;
        if (held_value(cpu, rows[i], &held) && held == value)
            c->counters.skipped++;
        else
            load(c, rows[i]->first, value);
    }
    cpu->owner = c;
}

static void swap_in(struct msr_context *c)
{
    for (uint32_t i = 0; i < c->swap_count; i++)
        msr_hardware_write(c->swap[i].index, c->swap[i].guest);
    c->counters.writes += c->swap_count;
}

static void swap_out(struct msr_context *c)
{
    for (uint32_t i = 0; i < c->swap_count; i++)
        msr_hardware_write(c->swap[i].index, c->swap[i].host);
    c->counters.writes += c->swap_count;
}

void msr_switch_to_guest(struct msr_cpu *cpu, struct msr_context *c)
{
    if (strategy == MSR_SWITCH_AREA)
        return;
    if (cpu->owner != c)
        change_owner(cpu, c);
    else if (cpu->host)
        swap_in(c);
    cpu->host = false;
}

void msr_switch_to_monitor(struct msr_cpu *cpu, struct msr_context *c)
{
    /* A VM's own TSC_AUX is no secret from its monitor, and with SYSENTER nothing else is in ring 3's way. */
    if (cpu->host || (strategy == MSR_SWITCH_NONE_NEEDED && cpu->owner == c))
        return;
    swap_out(cpu->owner);
    cpu->host = true;
}

void msr_switch_exit(struct msr_cpu *cpu, struct msr_context *c)
{
    const struct msr_row *rows[MSR_RESIDENT_MAX];
    size_t count = msr_resident(c->file.features, rows);

    for (size_t i = 0; i < count; i++)
        c->file.value[rows[i]->slot] = msr_hardware_read(rows[i]->first);
    c->counters.reads += count;
    msr_switch_to_monitor(cpu, c);
}

void msr_switch_entry(struct msr_cpu *cpu, struct msr_context *c)
{
    msr_switch_to_guest(cpu, c);
}

/* EFER and PAT without their VMCS controls (R29). */
static uint64_t host_value(const struct msr_row *row)
{
    if (row->control == MSR_CONTROL_EFER)
        return host_efer;
    if (row->control == MSR_CONTROL_PAT)
        return host_pat;
    for (unsigned i = HOST_STAR; i < host_end; i++)
        if (host_values[i].row == row)
            return host_values[i].value;
    return 0; /* CSTAR and KERNEL_GS_BASE: nothing of a guest's is left in the CPU */
}

/*
 * What SWAPGS has changed since the last rebuild is in the area alone. Only KERNEL_GS_BASE can: all other rows'
 * writes exit.
 */
static void take_stored(struct msr_context *c)
{
    const struct msr_row *row = &msr_rows[MSR_ROW_KERNEL_GS_BASE];

    for (uint32_t i = 0; i < c->area_count; i++)
        if (c->guest_area[i].index == row->first)
            c->file.value[row->slot] = c->guest_area[i].value;
}

static void add_entry(struct msr_context *c, const struct msr_row *row)
{
    uint64_t guest = c->file.value[row->slot], host = host_value(row);

    /* R32; but SWAPGS may make KERNEL_GS_BASE differ at any time. */
    if (guest == host && row != &msr_rows[MSR_ROW_KERNEL_GS_BASE])
        return;
    c->guest_area[c->area_count] = (struct msr_area_entry){row->first, 0, guest};
    c->host_area[c->area_count++] = (struct msr_area_entry){row->first, 0, host};
}

static void build_areas(struct msr_context *c)
{
    const struct msr_row *rows[MSR_RESIDENT_MAX];
    size_t count = msr_area(&controls, rows);

    c->area_count = 0;
    for (size_t i = 0; i < count; i++)
        add_entry(c, rows[i]);
    count = strategy == MSR_SWITCH_AREA ? msr_resident(c->file.features, rows) : 0;
    for (size_t i = 0; i < count; i++)
        add_entry(c, rows[i]);
    msr_hardware_area_count(c->area_count);
}

void msr_switch_written(struct msr_cpu *cpu, struct msr_context *c, const struct msr_row *row)
{
    if (row->class != MSR_CLASS_RESIDENT || strategy == MSR_SWITCH_AREA) {
        take_stored(c);
        build_areas(c);
        return;
    }
    list_swaps(c);
    if (!cpu->host || !is_swapped(row)) /* otherwise the next entry brings it */
        load(c, row->first, c->file.value[row->slot]);
}

void msr_switch_reset(struct msr_cpu *cpu, struct msr_context *c)
{
    if (cpu->owner == c) {
        if (!cpu->host)
            swap_out(c); /* by the old list: it is what the CPU holds, and another monitor may be next */
        cpu->host = true;
        cpu->owner = NULL;
    }
    list_swaps(c);
    build_areas(c);
}
