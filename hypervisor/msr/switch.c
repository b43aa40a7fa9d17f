/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/msr/switch.h"

#include "hypervisor/cpu/instructions.h"
#include "lib/bits.h"

/* What ring 3 needs, or could read; other residents stay in the CPU until another guest needs them.
 */
#define MSR_RING3 (MSR_SET(STAR) | MSR_SET(LSTAR) | MSR_SET(FMASK) | MSR_SET(TSC_AUX))
#define MSR_ALL   UINT64_MAX

static const struct way {
    uint64_t moved, own, other;
} ways[MSR_STRATEGY_COUNT] = {
#define MSR_STRATEGY(id, name, moved, own, other) [MSR_SWITCH_##id] = {moved, own, other},
#include "abi/strategies.def"
#undef MSR_STRATEGY
};

static enum msr_strategy strategy;
static struct way way;  /* of what there is */
static uint64_t unseen; /* what is moved, and changes without an exit: by SWAPGS (R34), for one */
static uint64_t listed; /* what the MSR areas switch */
static struct msr_context host;

/* RDMSR of a set that is c's. */
static void save(struct msr_context *c, uint64_t set)
{
    uint64_t reads = 0;

    for (; set != 0; set &= set - 1) {
        uint64_t slot = set_first(set);

        c->file.value[slot] = rdmsr((uint32_t)msr_index[slot]);
        reads++;
    }
    c->counters.reads += reads;
}

/* WRMSR of a set, of which the CPU holds one's values, to another's. What is there already is not
 * written again (R32). */
static void __attribute__((noinline)) move(const struct msr_context *from,
                                           const struct msr_context *to, uint64_t set,
                                           struct msr_counters *counters)
{
    uint64_t writes = 0;

    for (; set != 0; set &= set - 1) {
        uint64_t slot = set_first(set), value = to->file.value[slot];

        if (from->file.value[slot] == value) {
            counters->skipped++;
            continue;
        }
        wrmsr((uint32_t)msr_index[slot], value);
        writes++;
    }
    counters->writes += writes;
}

/* What ring 3 has borrowed becomes its owner's again. */
static void take_back(struct msr_cpu *cpu)
{
    uint64_t set = cpu->host;

    cpu->host = 0;
    move(&host, cpu->owner, set, &cpu->owner->counters);
}

static void __attribute__((noinline)) lend(struct msr_cpu *cpu, uint64_t set)
{
    cpu->host |= set;
    move(cpu->owner, &host, set, &cpu->owner->counters);
}

static void hand_over(struct msr_cpu *cpu, struct msr_context *c)
{
    save(cpu->owner, unseen);
    if (cpu->host != 0)
        move(&host, c, cpu->host, &c->counters);
    move(cpu->owner, c, way.moved & ~cpu->host, &c->counters);
}

/* The same in two instructions: no look at each value can be as cheap as not to ask what differs.
 */
static void hand_over_list(struct msr_cpu *cpu, struct msr_context *c)
{
    rdmsrlist(msr_index, cpu->owner->file.value, unseen);
    cpu->owner->counters.reads++;
    wrmsrlist(msr_index, c->file.value, way.moved);
    c->counters.writes++;
}

static void __attribute__((noinline)) make_current(struct msr_cpu *cpu, struct msr_context *c)
{
    if (msr_switch_uses_lists(strategy))
        hand_over_list(cpu, c);
    else
        hand_over(cpu, c);
    cpu->owner = c;
    cpu->host = 0;
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

void msr_switch_write(struct msr_cpu *cpu, struct msr_context *c, unsigned slot, uint64_t value)
{
    uint64_t *mine = &c->file.value[slot], set = BIT(slot);

    if (set & unseen)
        save(c, set);
    bool differs = *mine != value;
    *mine = value;
    if (set & listed) {
        msr_area_build(&c->areas, listed, set, &c->file, &host.file);
    } else if (differs && !(set & cpu->host)) { /* else the next entry brings it */
        wrmsr((uint32_t)msr_index[slot], value);
        c->counters.writes++;
    }
}

void msr_switch_reset(struct msr_cpu *cpu, struct msr_context *c, uint32_t features,
                      uint32_t physical_width)
{
    msr_switch_leave(cpu, c);
    msr_file_reset(&c->file, features, physical_width);
    c->file.value[MSR_SLOT_SPEC_CTRL] = host.file.value[MSR_SLOT_SPEC_CTRL]; /* always set */
    msr_area_build(&c->areas, listed, listed, &c->file, &host.file);
}

void msr_switch_after_init(struct msr_cpu *cpu, struct msr_context *c)
{
    msr_switch_leave(cpu, c);
    msr_area_build(&c->areas, listed, 0, &c->file, &host.file);
    msr_file_init(&c->file);
    msr_area_build(&c->areas, listed, listed, &c->file, &host.file);
}

void msr_switch_init(struct msr_cpu *cpu, enum msr_strategy chosen, const struct msr_file *values,
                     uint32_t controls)
{
    uint64_t resident = msr_resident(values->features);

    strategy = chosen;
    way = (struct way){ways[chosen].moved & resident, ways[chosen].own & resident,
                       ways[chosen].other & resident};
    unseen = way.moved & MSR_UNSEEN;
    listed = msr_area(controls) | (resident & ~way.moved);
    host = (struct msr_context){.file = *values};
    *cpu = (struct msr_cpu){.owner = &host};
    for (uint64_t set = resident; set != 0; set &= set - 1)
        wrmsr((uint32_t)msr_index[set_first(set)], values->value[set_first(set)]);
}

bool msr_switch_uses_lists(enum msr_strategy chosen)
{
    return chosen == MSR_SWITCH_LIST;
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
    save(cpu->owner, way.moved);
    cpu->host = way.own;
    move(cpu->owner, &host, way.own, &cpu->owner->counters);
}

void msr_switch_entry(struct msr_cpu *cpu)
{
    take_back(cpu);
}
