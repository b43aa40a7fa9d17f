/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/msr/switch.h"

const char *const msr_strategy_names[MSR_STRATEGY_COUNT] = {
#define MSR_STRATEGY(id, name) [MSR_SWITCH_##id] = name,
#include "hypervisor/msr/strategies.def"
#undef MSR_STRATEGY
};

/* The resident MSRs of this CPU, whether a VM is offered them or not. */
static struct resident {
    const struct msr_row *row;
    uint64_t host; /* what ring 3 wants in it, or 0 */
    /* ring 3 needs it, or could read it; others stay in the CPU until another guest needs them */
    bool swapped;
} residents[MSR_RESIDENT_MAX];
static size_t resident_count, swapped_count, kernel_gs_base; /* the last: its place among them */

static enum msr_strategy strategy;

/* EFER and PAT where they have no VMCS controls (R29). */
static const struct msr_row *uncontrolled[MSR_AREA_MAX];
static size_t uncontrolled_count;
static uint64_t host_efer, host_pat;

static struct resident describe(const struct msr_row *row, const struct msr_host *host)
{
    bool gate = strategy != MSR_SWITCH_NONE_NEEDED;

    switch (row - msr_rows) {
    case MSR_ROW_STAR:
        return (struct resident){row, host->star, gate};
    case MSR_ROW_LSTAR:
        return (struct resident){row, host->lstar, gate};
    case MSR_ROW_FMASK:
        return (struct resident){row, host->fmask, gate};
    case MSR_ROW_TSC_AUX:
        return (struct resident){row, host->tsc_aux, true};
    default:
        return (struct resident){row, 0, false};
    }
}

void msr_switch_init(struct msr_cpu *cpu, enum msr_strategy chosen, const struct msr_host *host,
                     const struct msr_controls *available)
{
    uint32_t features =
        MSR_FEATURE_SYSCALL | MSR_FEATURE_LM | (host->has_tsc_aux ? MSR_FEATURE_RDTSCP : 0);
    const struct msr_row *rows[MSR_RESIDENT_MAX];

    strategy = chosen;
    uncontrolled_count = msr_area(available, uncontrolled);
    host_efer = host->efer;
    host_pat = host->pat;
    *cpu = (struct msr_cpu){.owner = NULL, .host = true};
    resident_count = msr_resident(features, rows);
    swapped_count = 0;
    for (size_t i = 0; i < resident_count; i++) {
        residents[i] = describe(rows[i], host);
        swapped_count += residents[i].swapped;
        if (rows[i] == &msr_rows[MSR_ROW_KERNEL_GS_BASE])
            kernel_gs_base = i;
        cpu->held[i] = residents[i].host;
        msr_hardware_write(rows[i]->first, residents[i].host);
    }
}

bool msr_switch_uses_sysenter(void)
{
    return strategy == MSR_SWITCH_NONE_NEEDED;
}

bool msr_switch_each_exit(void)
{
    return strategy == MSR_SWITCH_EAGER;
}

static uint64_t guest_value(const struct msr_context *c, size_t i)
{
    return c->file.value[residents[i].row->slot];
}

/* R32: what the CPU holds already is not written again. */
static void load(struct msr_cpu *cpu, struct msr_context *c, size_t i)
{
    uint64_t value = guest_value(c, i);

    if (cpu->held[i] == value) {
        c->counters.skipped++;
        return;
    }
    cpu->held[i] = value;
    msr_hardware_write(residents[i].row->first, value);
    c->counters.writes++;
}

/* R32: what is not swapped holds what both want. */
static void count_swaps(struct msr_context *c)
{
    c->counters.writes += c->swap_count;
    c->counters.skipped += swapped_count - c->swap_count;
}

/* R32: only MSRs in which the two sides differ are swapped. */
static void list_swaps(struct msr_context *c)
{
    c->swap_count = 0;
    for (uint32_t i = 0; i < resident_count; i++) {
        const struct resident *r = &residents[i];
        if (r->swapped && guest_value(c, i) != r->host)
            c->swap[c->swap_count++] =
                (struct msr_swap){r->row->first, i, guest_value(c, i), r->host};
    }
}

static void swap_in(struct msr_cpu *cpu, struct msr_context *c)
{
    for (const struct msr_swap *s = c->swap; s < c->swap + c->swap_count; s++) {
        cpu->held[s->place] = s->guest;
        msr_hardware_write(s->index, s->guest);
    }
    count_swaps(c);
    cpu->host = false;
}

static void swap_out(struct msr_cpu *cpu)
{
    struct msr_context *c = cpu->owner;

    for (const struct msr_swap *s = c->swap; s < c->swap + c->swap_count; s++) {
        cpu->held[s->place] = s->host;
        msr_hardware_write(s->index, s->host);
    }
    count_swaps(c);
    cpu->host = true;
}

/* SWAPGS changes KERNEL_GS_BASE without an exit: the CPU has the only right value (R34). */
static void save_kernel_gs_base(struct msr_cpu *cpu)
{
    cpu->held[kernel_gs_base] = msr_hardware_read(residents[kernel_gs_base].row->first);
    cpu->owner->counters.reads++;
}

static void change_owner(struct msr_cpu *cpu, struct msr_context *c)
{
    if (cpu->owner != NULL) {
        save_kernel_gs_base(cpu);
        cpu->owner->file.value[MSR_SLOT_KERNEL_GS_BASE] = cpu->held[kernel_gs_base];
    }
    for (size_t i = 0; i < resident_count; i++)
        load(cpu, c, i);
    cpu->owner = c;
    cpu->host = false;
}

/* What is left in the CPU is known, and ring 3 may see it. */
static void disown(struct msr_cpu *cpu)
{
    save_kernel_gs_base(cpu);
    if (!cpu->host)
        swap_out(cpu);
    cpu->owner = NULL;
}

void msr_switch_to_guest(struct msr_cpu *cpu, struct msr_context *c)
{
    if (strategy == MSR_SWITCH_AREA)
        return;
    if (cpu->owner != c)
        change_owner(cpu, c);
    else if (cpu->host)
        swap_in(cpu, c);
}

void msr_switch_to_monitor(struct msr_cpu *cpu, struct msr_context *c)
{
    /* A VM's own TSC_AUX is no secret from its monitor, and with SYSENTER nothing else is in ring
     * 3's way. */
    if (cpu->host || (strategy == MSR_SWITCH_NONE_NEEDED && cpu->owner == c))
        return;
    swap_out(cpu);
}

void msr_switch_leave(struct msr_cpu *cpu, struct msr_context *c)
{
    if (cpu->owner != c)
        return;
    disown(cpu);
    c->file.value[MSR_SLOT_KERNEL_GS_BASE] = cpu->held[kernel_gs_base];
}

void msr_switch_exit(struct msr_cpu *cpu, struct msr_context *c)
{
    for (size_t i = 0; i < resident_count; i++)
        c->file.value[residents[i].row->slot] = msr_hardware_read(residents[i].row->first);
    c->counters.reads += resident_count;
    msr_switch_to_monitor(cpu, c);
}

void msr_switch_entry(struct msr_cpu *cpu, struct msr_context *c)
{
    msr_switch_to_guest(cpu, c);
}

/*
 * What the guest has changed since the last rebuild without an exit is in the area alone. Only
 * KERNEL_GS_BASE can be, by SWAPGS: all other rows' writes exit.
 */
static void take_stored(struct msr_context *c)
{
    const struct msr_row *row = &msr_rows[MSR_ROW_KERNEL_GS_BASE];

    for (uint32_t i = 0; i < c->area_count; i++)
        if (c->guest_area[i].index == row->first)
            c->file.value[row->slot] = c->guest_area[i].value;
}

static void add_entry(struct msr_context *c, const struct msr_row *row, uint64_t host)
{
    uint64_t guest = c->file.value[row->slot];

    /* R32; but SWAPGS may make KERNEL_GS_BASE differ at any time. */
    if (guest == host && row != &msr_rows[MSR_ROW_KERNEL_GS_BASE])
        return;
    c->guest_area[c->area_count] = (struct msr_area_entry){row->first, 0, guest};
    c->host_area[c->area_count++] = (struct msr_area_entry){row->first, 0, host};
}

/* What has no VMCS controls, and the resident set if that is the strategy. */
static void build_areas(struct msr_context *c)
{
    c->area_count = 0;
    for (size_t i = 0; i < uncontrolled_count; i++)
        add_entry(c, uncontrolled[i],
                  uncontrolled[i]->control == MSR_CONTROL_EFER ? host_efer : host_pat);
    for (size_t i = 0; strategy == MSR_SWITCH_AREA && i < resident_count; i++)
        add_entry(c, residents[i].row, residents[i].host);
    msr_hardware_area_count(c->area_count);
}

void msr_switch_written(struct msr_cpu *cpu, struct msr_context *c, const struct msr_row *row)
{
    bool swapgs = row == &msr_rows[MSR_ROW_KERNEL_GS_BASE];

    if (row->class != MSR_CLASS_RESIDENT || strategy == MSR_SWITCH_AREA) {
        if (!swapgs)
            take_stored(c);
        build_areas(c);
        return;
    }
    if (swapgs)
        save_kernel_gs_base(cpu); /* so that it is known what the CPU holds */
    list_swaps(c);
    for (size_t i = 0; i < resident_count; i++)
        /* otherwise the next entry brings it */
        if (residents[i].row == row && !(cpu->host && residents[i].swapped))
            load(cpu, c, i);
}

void msr_switch_reset(struct msr_cpu *cpu, struct msr_context *c)
{
    if (cpu->owner == c)
        disown(cpu);
    list_swaps(c);
    build_areas(c);
}
