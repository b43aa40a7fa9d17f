/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/msr/switch.h"

#include "lib/bits.h"

/* What ring 3 needs, or could read; other residents stay in the CPU until another guest needs them.
 */
#define MSR_RING3 (MSR_SET(STAR) | MSR_SET(LSTAR) | MSR_SET(FMASK) | MSR_SET(TSC_AUX))
#define MSR_ALL   UINT64_MAX

static const struct way {
    uint64_t moved, own, other;
} ways[MSR_STRATEGY_COUNT] = {
#define MSR_STRATEGY(id, name, moved, own, other) [MSR_SWITCH_##id] = {moved, own, other},
#include "hypervisor/msr/strategies.def"
#undef MSR_STRATEGY
};

const char *const msr_strategy_names[MSR_STRATEGY_COUNT] = {
#define MSR_STRATEGY(id, name, ...) [MSR_SWITCH_##id] = name,
#include "hypervisor/msr/strategies.def"
#undef MSR_STRATEGY
};

static enum msr_strategy strategy;
static struct way way;  /* of what there is */
static uint64_t listed; /* what the MSR areas switch */
static struct msr_context host;

/* RDMSR. */
static void save(struct msr_cpu *cpu, uint64_t to[MSR_SWITCHED], uint64_t set)
{
    uint64_t reads = 0;

    for (; set != 0; set &= set - 1) {
        uint64_t slot = set_first(set);

        to[slot] = cpu->held[slot] = msr_hardware_read(msr_index[slot]);
        reads++;
    }
    cpu->owner->counters.reads += reads;
}

/* R32: what the CPU holds already is not written again. */
static void __attribute__((noinline)) load(struct msr_cpu *cpu, const uint64_t from[MSR_SWITCHED],
                                           uint64_t set)
{
    struct msr_counters *counters = &cpu->owner->counters;
    uint64_t *held = cpu->held, writes = 0;

    for (; set != 0; set &= set - 1) {
        uint64_t slot = set_first(set), value = from[slot];

        if (held[slot] == value) {
            counters->skipped++;
            continue;
        }
        held[slot] = value;
        msr_hardware_write(msr_index[slot], value);
        writes++;
    }
    counters->writes += writes;
}

/* What is the host's for ring 3 becomes the owner's again. */
static void take_back(struct msr_cpu *cpu)
{
    uint64_t set = cpu->host;

    cpu->host = 0;
    load(cpu, cpu->owner->file.value, set);
}

static void __attribute__((noinline)) lend(struct msr_cpu *cpu, uint64_t set)
{
    cpu->host |= set;
    load(cpu, host.file.value, set);
}

/* SWAPGS changes KERNEL_GS_BASE without an exit: the CPU has the only right value (R34). */
static void __attribute__((noinline)) make_current(struct msr_cpu *cpu, struct msr_context *c)
{
    save(cpu, cpu->owner->file.value, way.moved & MSR_SET(KERNEL_GS_BASE));
    cpu->owner = c;
    cpu->host = 0;
    load(cpu, c->file.value, way.moved);
}

void msr_switch_to_guest(struct msr_cpu *cpu, struct msr_context *c)
{
    if (cpu->owner != c)
        make_current(cpu, c);
    else if (cpu->host != 0)
        take_back(cpu);
}

void msr_switch_to_monitor(struct msr_cpu *cpu, const struct msr_context *c)
{
    uint64_t set = (c == cpu->owner ? way.own : way.other) & ~cpu->host;

    if (set != 0)
        lend(cpu, set);
}

void msr_switch_leave(struct msr_cpu *cpu, struct msr_context *c)
{
    if (cpu->owner == c)
        make_current(cpu, &host);
}

void msr_switch_changed(struct msr_cpu *cpu, struct msr_context *c, uint64_t set)
{
    if (set & listed)
        msr_area_build(&c->areas, listed, set, &c->file, &host.file);
    if (cpu->owner != c)
        return;
    set &= way.moved;
    save(cpu, cpu->held, set & MSR_SET(KERNEL_GS_BASE)); /* so that it is known */
    load(cpu, c->file.value, set & ~cpu->host);          /* the next entry brings the rest */
}

void msr_switch_init(struct msr_cpu *cpu, enum msr_strategy chosen, const struct msr_file *values,
                     uint32_t controls)
{
    uint64_t resident = msr_resident(values->features);

    strategy = chosen;
    way = (struct way){ways[chosen].moved & resident, ways[chosen].own & resident,
                       ways[chosen].other & resident};
    listed = msr_area(controls) | (resident & ~way.moved);
    host = (struct msr_context){.file = *values};
    cpu->owner = &host;
    cpu->host = 0;
    for (unsigned slot = 0; slot < MSR_SWITCHED; slot++)
        cpu->held[slot] = ~values->value[slot]; /* not what the firmware has left */
    load(cpu, values->value, resident);
}

bool msr_switch_uses_sysenter(enum msr_strategy chosen)
{
    return (ways[chosen].moved & ~ways[chosen].other & MSR_SET(LSTAR)) != 0;
}

bool msr_switch_each_exit(void)
{
    return strategy == MSR_SWITCH_EAGER;
}

bool msr_switch_is_in_area(const struct msr_row *row)
{
    return (listed & BIT(row->slot)) != 0;
}

void msr_switch_exit(struct msr_cpu *cpu)
{
    save(cpu, cpu->owner->file.value, way.moved);
    cpu->host = way.own;
    load(cpu, host.file.value, way.own);
}

void msr_switch_entry(struct msr_cpu *cpu)
{
    take_back(cpu);
}
