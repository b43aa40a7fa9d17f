/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens to the two vCPUs, and what must be true after each of it. */
#include "tests/native/model/model.h"

#include <stdio.h>
#include <string.h>

#include "lib/bits.h"
#include "tests/native/model/world.h"

#define FEATURES       (MSR_FEATURE_SYSCALL | MSR_FEATURE_LM | MSR_FEATURE_PAT | MSR_FEATURE_SPEC_CTRL)
#define MODERN         (MSR_FEATURE_XSAVES | MSR_FEATURE_CET | MSR_FEATURE_PKS)
#define PHYSICAL_WIDTH 40

struct model_cpu model_cpus[MODEL_CPUS];
struct model_vcpu model_vcpus[MODEL_VCPUS];
struct msr_context *model_nobody;

const struct msr_row *const model_rows[MODEL_MSRS] = {
    [MODEL_STAR] = &msr_rows[MSR_ROW_STAR],
    [MODEL_LSTAR] = &msr_rows[MSR_ROW_LSTAR],
    [MODEL_CSTAR] = &msr_rows[MSR_ROW_CSTAR],
    [MODEL_FMASK] = &msr_rows[MSR_ROW_FMASK],
    [MODEL_KERNEL_GS_BASE] = &msr_rows[MSR_ROW_KERNEL_GS_BASE],
    [MODEL_SPEC_CTRL] = &msr_rows[MSR_ROW_SPEC_CTRL],
    [MODEL_TSC_AUX] = &msr_rows[MSR_ROW_TSC_AUX],
    [MODEL_U_CET] = &msr_rows[MSR_ROW_U_CET],
    [MODEL_PL0_SSP] = &msr_rows[MSR_ROW_PL0_SSP],
    [MODEL_PL1_SSP] = &msr_rows[MSR_ROW_PL1_SSP],
    [MODEL_PL2_SSP] = &msr_rows[MSR_ROW_PL2_SSP],
    [MODEL_PL3_SSP] = &msr_rows[MSR_ROW_PL3_SSP],
    [MODEL_XSS] = &msr_rows[MSR_ROW_XSS],
    [MODEL_S_CET] = &msr_rows[MSR_ROW_S_CET],
    [MODEL_SSP_TABLE] = &msr_rows[MSR_ROW_SSP_TABLE],
    [MODEL_PKRS] = &msr_rows[MSR_ROW_PKRS],
    [MODEL_EFER] = &msr_rows[MSR_ROW_EFER],
    [MODEL_PAT] = &msr_rows[MSR_ROW_PAT],
};

static enum msr_strategy strategy;
static uint32_t controls;
static unsigned residents; /* how many the CPUs have, */
static unsigned unseen;    /* and of these, that change without an exit */

uint8_t model_msr_list[MODEL_MSRS];
unsigned model_msr_count;

static bool is_resident(unsigned msr)
{
    return sim_has(msr) && msr != MODEL_EFER && msr != MODEL_PAT && !sim_in_vmcs(msr);
}

/* Whether the model has to do with the MSR: it is resident, in the VMCS, or in the areas for want
 * of its control; and the guest has it. */
static bool is_offered(const struct model_vcpu *v, unsigned msr)
{
    const struct msr_row *row = model_rows[msr];

    return (row->features & ~v->features) == 0 &&
           ((msr != MODEL_EFER && msr != MODEL_PAT) || row->control & ~controls);
}

static bool is_busy(uint8_t vcpu, uint8_t cpu)
{
    return model_cpus[cpu].place != PLACE_IDLE && model_cpus[cpu].vcpu == vcpu;
}

/* Software runs on this CPU, and this vCPU's VMCS is current. */
static void run_on(struct model_cpu *c, struct model_vcpu *v)
{
    sim.cpu = &c->hardware;
    sim.vmcs = &v->vmcs;
}

static void start(struct model_vcpu *v)
{
    for (unsigned m = 0; m < MODEL_MSRS; m++)
        v->expected[m] = v->vmcs.field[m] = sim_values[m][VALUE_RESET];
    v->gs_base = 0;
    msr_switch_reset(&model_cpus[v->home].software, &v->context, v->features, PHYSICAL_WIDTH);
}

/* As a vCPU begins that has had its INIT (vm/vcpu.c). */
static void init(struct model_vcpu *v)
{
    for (unsigned m = 0; m < MODEL_MSRS; m++) {
        v->expected[m] = sim_after_init(m, v->expected[m]);
        if (model_rows[m]->init == MSR_INIT_RESET)
            v->vmcs.field[m] = model_rows[m]->reset;
    }
    v->gs_base = 0;
    msr_switch_after_init(&model_cpus[v->home].software, &v->context);
}

static void begin_cpus(const struct model_config *config)
{
    struct msr_file host = {
        .features = MSR_FEATURE_SYSCALL | MSR_FEATURE_LM | MSR_FEATURE_SPEC_CTRL |
                    (config->modern ? MODERN : 0) | (config->host_tsc_aux ? MSR_FEATURE_RDTSCP : 0),
    };

    for (unsigned m = 0; m < MODEL_MSRS; m++)
        host.value[model_rows[m]->slot] = sim_values[m][VALUE_HOST];
    for (unsigned i = 0; i < MODEL_CPUS; i++) {
        model_cpus[i] = (struct model_cpu){.place = PLACE_IDLE};
        for (unsigned m = 0; m < MODEL_MSRS; m++)
            model_cpus[i].hardware.msr[m] = sim_values[m][VALUE_FIRMWARE];
        sim.cpu = &model_cpus[i].hardware;
        msr_switch_init(&model_cpus[i].software, strategy, &host, controls);
        model_nobody = model_cpus[i].software.owner;
    }
    sim.boots = false;
    model_nobody->counters = (struct msr_counters){0};
}

void model_begin(const struct model_config *config, enum msr_strategy chosen)
{
    strategy = chosen;
    controls = config->controls;
    sim = (struct sim){.boots = true,
                       .has_tsc_aux = config->host_tsc_aux,
                       .is_modern = config->modern,
                       .linear_width = config->linear_width};
    residents = unseen = model_msr_count = 0;
    for (unsigned m = 0; m < MODEL_MSRS; m++) {
        residents += is_resident(m);
        unseen += is_resident(m) && sim_unseen(m);
        if (sim_has(m))
            model_msr_list[model_msr_count++] = (uint8_t)m;
    }
    begin_cpus(config);
    memset(model_vcpus, 0, sizeof(model_vcpus));
    for (unsigned i = 0; i < MODEL_VCPUS; i++) {
        struct model_vcpu *v = &model_vcpus[i];
        v->features = FEATURES | (config->tsc_aux[i] ? MSR_FEATURE_RDTSCP : 0) |
                      (config->modern ? MODERN : 0);
        v->context.areas.guest = v->vmcs.guest_area = v->area[0];
        v->context.areas.host = v->vmcs.host_area = v->area[1];
        run_on(&model_cpus[0], v);
        start(v);
    }
}

const char *model_broken(void)
{
    return sim.broken;
}

static void check_guest(const struct model_cpu *c, const struct model_vcpu *v)
{
    for (unsigned n = 0; n < model_msr_count; n++) {
        unsigned m = model_msr_list[n];

        if (c->hardware.msr[m] != v->expected[m] && is_offered(v, m))
            sim_break("guest-reads-its-own");
    }
}

static bool holds_host_value(const struct model_cpu *c, unsigned msr)
{
    return c->hardware.msr[msr] == sim_values[msr][VALUE_HOST];
}

static void check_ring3(const struct model_cpu *c, const struct model_vcpu *v)
{
    bool gate = holds_host_value(c, MODEL_STAR) && holds_host_value(c, MODEL_LSTAR) &&
                holds_host_value(c, MODEL_FMASK);

    if (!msr_switch_uses_sysenter(strategy) && !gate)
        sim_break("ring-3-gate");
    if (sim.has_tsc_aux && !holds_host_value(c, MODEL_TSC_AUX) &&
        c->hardware.msr[MODEL_TSC_AUX] != v->expected[MODEL_TSC_AUX])
        sim_break("ring-3-tsc-aux");
}

static void check(void)
{
    for (const struct model_cpu *c = model_cpus; c < model_cpus + MODEL_CPUS; c++) {
        if (!(c->hardware.msr[MODEL_SPEC_CTRL] & sim_values[MODEL_SPEC_CTRL][VALUE_HOST]))
            sim_break("ring-0-is-steered");
        if (c->place == PLACE_GUEST)
            check_guest(c, &model_vcpus[c->vcpu]);
        else if (!holds_host_value(c, MODEL_EFER) || !holds_host_value(c, MODEL_PAT))
            sim_break("host-efer-and-pat");
        if (c->place == PLACE_MONITOR)
            check_ring3(c, &model_vcpus[c->vcpu]);
    }
}

/* R32: only what may have changed unseen, as by SWAPGS, is read, when the CPU changes hands; eager
 * reads all of them on each exit. */
static unsigned reads_allowed(enum model_step step, bool changes_hands)
{
    switch (step) {
    case STEP_ENTER:
        return changes_hands ? unseen : 0;
    case STEP_MOVE:
    case STEP_RESET:
    case STEP_INIT:
        return unseen;
    case STEP_EXIT:
        return msr_switch_each_exit() ? residents : 0;
    case STEP_WRITE: /* where that of KERNEL_GS_BASE exits, SWAPGS may have been before */
        return (msr_switch_each_exit() ? residents : 0) + (sim.linear_width > LINEAR_WIDTH);
    default:
        return 0;
    }
}

/* What a step cost, and that the counters say so. Whoever gets the CPU has each MSR written, or
 * found right. */
static void check_costs(enum model_step step, bool changes_hands)
{
    struct msr_counters sum = model_nobody->counters;

    model_nobody->counters = (struct msr_counters){0};
    for (struct model_vcpu *v = model_vcpus; v < model_vcpus + MODEL_VCPUS; v++) {
        sum.reads += v->context.counters.reads;
        sum.writes += v->context.counters.writes;
        sum.skipped += v->context.counters.skipped;
        v->context.counters = (struct msr_counters){0};
    }
    if (sim.reads > reads_allowed(step, changes_hands))
        sim_break("useful-reads");
    if (sum.reads != sim.reads || sum.writes != sim.writes)
        sim_break("counters");
    if (step == STEP_ENTER && changes_hands && strategy != MSR_SWITCH_AREA &&
        sum.writes + sum.skipped != (msr_switch_uses_lists(strategy) ? 1 : residents))
        sim_break("counters");
}

static void exit_guest(struct model_cpu *c, struct model_vcpu *v)
{
    sim_exit();
    c->place = PLACE_EXITED;
    if (msr_switch_each_exit())
        msr_switch_exit(&c->software);
}

/* As the exit handler does it (vm/exit_msr.c, vm/vcpu.c). */
static void write(struct model_cpu *c, struct model_vcpu *v, unsigned msr, uint64_t value)
{
    const struct msr_row *row = model_rows[msr];
    bool is_refused = sim_refuses(msr, value, LINEAR_WIDTH); /* as the guest is promised */

    if (msr_write_passes(row, sim.linear_width)) {
        if (is_refused != sim_refuses(msr, value, sim.linear_width))
            sim_break("checked-writes");
        if (!is_refused)
            c->hardware.msr[msr] = v->expected[msr] = value;
        return;
    }
    exit_guest(c, v);
    enum msr_result result = msr_write(&v->context.file, row, row->first, value);
    if ((result == MSR_GP) != is_refused)
        sim_break("checked-writes");
    if (result == MSR_GP)
        return;
    v->expected[msr] = value;
    if (sim_in_vmcs(msr))
        v->vmcs.field[msr] = value;
    else
        msr_switch_write(&c->software, &v->context, row->slot, value);
}

static void swapgs(struct model_cpu *c, struct model_vcpu *v)
{
    uint64_t old = c->hardware.msr[MODEL_KERNEL_GS_BASE];

    c->hardware.msr[MODEL_KERNEL_GS_BASE] = v->expected[MODEL_KERNEL_GS_BASE] = v->gs_base;
    v->gs_base = old;
}

static void enter(struct model_cpu *c, uint8_t vcpu)
{
    sim_entry();
    c->place = PLACE_GUEST;
    c->vcpu = vcpu;
}

/* Ring 0 of the old CPU gives the vCPU up: where something else runs there, an interrupt has asked
 * for it. */
static void move(struct model_vcpu *v)
{
    struct model_cpu *old = &model_cpus[v->home];

    run_on(old, v);
    msr_switch_leave(&old->software, &v->context);
    if (old->vcpu == v - model_vcpus)
        old->place = PLACE_IDLE;
    v->home ^= 1;
}

static bool is_possible(const struct model_action *a)
{
    const struct model_cpu *c = &model_cpus[a->cpu];
    const struct model_vcpu *v = &model_vcpus[a->vcpu];

    switch (a->step) {
    case STEP_ENTER:
        return c->place != PLACE_GUEST && v->home == a->cpu && !is_busy(a->vcpu, !a->cpu);
    case STEP_MONITOR:
        return c->place != PLACE_GUEST && !is_busy(a->vcpu, !a->cpu);
    case STEP_RESUME:
        return c->place == PLACE_EXITED;
    case STEP_WRITE:
        return c->place == PLACE_GUEST && is_offered(&model_vcpus[c->vcpu], a->msr) &&
               a->value != VALUE_VCPU_0 + !c->vcpu;
    case STEP_EXIT:
    case STEP_SWAPGS:
        return c->place == PLACE_GUEST;
    case STEP_MOVE:
        return model_cpus[v->home].place != PLACE_GUEST && !is_busy(a->vcpu, !v->home);
    case STEP_RESET:
    case STEP_INIT:
        return c->place == PLACE_MONITOR && model_vcpus[c->vcpu].home == a->cpu;
    default:
        return false;
    }
}

static void act(const struct model_action *a)
{
    struct model_cpu *c = &model_cpus[a->cpu];
    bool chooses = a->step == STEP_ENTER || a->step == STEP_MONITOR || a->step == STEP_MOVE;
    uint8_t vcpu = chooses ? a->vcpu : c->vcpu;
    struct model_vcpu *v = &model_vcpus[vcpu];

    run_on(c, v);
    switch (a->step) {
    case STEP_ENTER:
        msr_switch_to_guest(&c->software, &v->context);
        enter(c, vcpu);
        break;
    case STEP_RESUME:
        if (msr_switch_each_exit())
            msr_switch_entry(&c->software);
        enter(c, vcpu);
        break;
    case STEP_EXIT:
        exit_guest(c, v);
        break;
    case STEP_MONITOR:
        msr_switch_to_monitor(&c->software, &v->context);
        c->place = PLACE_MONITOR;
        c->vcpu = vcpu;
        break;
    case STEP_WRITE:
        write(c, v, a->msr, sim_values[a->msr][a->value]);
        break;
    case STEP_SWAPGS:
        swapgs(c, v);
        break;
    case STEP_MOVE:
        move(v);
        break;
    case STEP_INIT:
        init(v);
        break;
    default: /* STEP_RESET */
        start(v);
    }
}

bool model_act(const struct model_action *action)
{
    const struct msr_cpu *cpu = &model_cpus[action->cpu].software;
    const struct msr_context *owner = cpu->owner;

    if (!is_possible(action))
        return false;
    sim.reads = sim.writes = 0;
    act(action);
    check();
    check_costs(action->step, cpu->owner != owner);
    return true;
}

/* The actions of one CPU. */
static unsigned cpu_actions(const struct model_config *config, uint8_t cpu,
                            struct model_action *list)
{
    unsigned n = 0;

    for (uint8_t vcpu = 0; vcpu < MODEL_VCPUS; vcpu++) {
        list[n++] = (struct model_action){STEP_ENTER, cpu, vcpu, 0, 0};
        list[n++] = (struct model_action){STEP_MONITOR, cpu, vcpu, 0, 0};
    }
    list[n++] = (struct model_action){STEP_RESUME, cpu, 0, 0, 0};
    list[n++] = (struct model_action){STEP_EXIT, cpu, 0, 0, 0};
    list[n++] = (struct model_action){STEP_SWAPGS, cpu, 0, 0, 0};
    list[n++] = (struct model_action){STEP_RESET, cpu, 0, 0, 0};
    list[n++] = (struct model_action){STEP_INIT, cpu, 0, 0, 0};
    for (uint8_t msr = 0; msr < MODEL_MSRS; msr++)
        for (uint8_t value = VALUE_HOST; value < VALUES; value++)
            if (config->written & 1u << msr && value != VALUE_FIRMWARE &&
                (value != VALUE_REFUSED || sim_values[msr][value] != 0))
                list[n++] = (struct model_action){STEP_WRITE, cpu, 0, msr, value};
    return n;
}

unsigned model_actions(const struct model_config *config,
                       struct model_action list[MODEL_ACTIONS_MAX])
{
    unsigned n = 0;

    for (uint8_t cpu = 0; cpu < MODEL_CPUS; cpu++)
        n += cpu_actions(config, cpu, list + n);
    for (uint8_t vcpu = 0; vcpu < MODEL_VCPUS; vcpu++)
        list[n++] = (struct model_action){STEP_MOVE, 0, vcpu, 0, 0};
    return n;
}

void model_describe(const struct model_action *a, char text[80])
{
    switch (a->step) {
    case STEP_ENTER:
        snprintf(text, 80, "CPU %u enters the guest of vCPU %u", a->cpu, a->vcpu);
        break;
    case STEP_RESUME:
        snprintf(text, 80, "CPU %u goes straight back to its guest", a->cpu);
        break;
    case STEP_EXIT:
        snprintf(text, 80, "the guest on CPU %u exits", a->cpu);
        break;
    case STEP_MONITOR:
        snprintf(text, 80, "CPU %u runs the monitor of vCPU %u", a->cpu, a->vcpu);
        break;
    case STEP_WRITE:
        snprintf(text, 80, "the guest on CPU %u writes %#llx to %s", a->cpu,
                 (unsigned long long)sim_values[a->msr][a->value], model_rows[a->msr]->name);
        break;
    case STEP_SWAPGS:
        snprintf(text, 80, "the guest on CPU %u executes SWAPGS", a->cpu);
        break;
    case STEP_MOVE:
        snprintf(text, 80, "vCPU %u moves to the other CPU", a->vcpu);
        break;
    case STEP_INIT:
        snprintf(text, 80, "the vCPU of the monitor on CPU %u has an INIT", a->cpu);
        break;
    default: /* STEP_RESET */
        snprintf(text, 80, "the monitor on CPU %u starts its VM anew", a->cpu);
    }
}
