/* SPDX-License-Identifier: BSD-2-Clause */
/* The model's state as a few bytes, which the search can keep and compare. */
#include <string.h>

#include "lib/bits.h"
#include "tests/native/model/world.h"

#define NOBODY 0xff

static void save_cpu(const struct model_cpu *c, struct model_state *state, unsigned i)
{
    for (unsigned n = 0; n < model_msr_count; n++) {
        unsigned m = model_msr_list[n];

        state->cpu[i].msr[m] = sim_value(m, c->hardware.msr[m]);
        if (c->software.host & BIT(model_rows[m]->slot))
            state->cpu[i].host[m / 8] |= (uint8_t)BIT(m % 8);
    }
    state->cpu[i].place = c->place;
    state->cpu[i].vcpu = c->place == PLACE_IDLE ? NOBODY : c->vcpu;
    state->cpu[i].owner = NOBODY;
    for (uint8_t v = 0; v < MODEL_VCPUS; v++)
        if (c->software.owner == &model_vcpus[v].context)
            state->cpu[i].owner = v;
}

static unsigned number_of(uint32_t index)
{
    unsigned msr = 0;

    while (sim_index[msr] != index)
        msr++;
    return msr;
}

static void save_vcpu(const struct model_vcpu *v, struct model_state *state, unsigned i)
{
    for (unsigned n = 0; n < model_msr_count; n++) {
        unsigned m = model_msr_list[n];

        state->vcpu[i].file[m] = sim_value(m, v->context.file.value[model_rows[m]->slot]);
        state->vcpu[i].expected[m] = sim_value(m, v->expected[m]);
        if (sim_in_vmcs(m))
            state->vcpu[i].field[m - MODEL_S_CET] = sim_value(m, v->vmcs.field[m]);
    }
    state->vcpu[i].gs_base = sim_value(MODEL_KERNEL_GS_BASE, v->gs_base);
    state->vcpu[i].home = v->home;
    state->vcpu[i].area_count = (uint8_t)v->context.areas.count;
    state->vcpu[i].counted = (uint8_t)v->vmcs.area_count;
    for (unsigned n = 0; n < v->context.areas.count; n++) {
        unsigned m = number_of(v->area[0][n].index);
        const uint8_t saved[] = {(uint8_t)m, sim_value(m, v->area[0][n].value),
                                 sim_value(m, v->area[1][n].value)};
        memcpy(state->vcpu[i].area[n], saved, sizeof(saved));
    }
}

void model_save(struct model_state *state)
{
    memset(state, 0, sizeof(*state));
    for (unsigned i = 0; i < MODEL_CPUS; i++)
        save_cpu(&model_cpus[i], state, i);
    for (unsigned i = 0; i < MODEL_VCPUS; i++)
        save_vcpu(&model_vcpus[i], state, i);
}

static void restore_cpu(struct model_cpu *c, const struct model_state *state, unsigned i)
{
    uint8_t owner = state->cpu[i].owner;

    c->software.host = 0;
    for (unsigned n = 0; n < model_msr_count; n++) {
        unsigned m = model_msr_list[n];

        c->hardware.msr[m] = sim_values[m][state->cpu[i].msr[m]];
        if (state->cpu[i].host[m / 8] & BIT(m % 8))
            c->software.host |= BIT(model_rows[m]->slot);
    }
    c->place = state->cpu[i].place;
    c->vcpu = state->cpu[i].vcpu;
    c->software.owner = owner == NOBODY ? model_nobody : &model_vcpus[owner].context;
}

static void restore_vcpu(struct model_vcpu *v, const struct model_state *state, unsigned i)
{
    for (unsigned n = 0; n < model_msr_count; n++) {
        unsigned m = model_msr_list[n];

        v->context.file.value[model_rows[m]->slot] = sim_values[m][state->vcpu[i].file[m]];
        v->expected[m] = sim_values[m][state->vcpu[i].expected[m]];
        if (sim_in_vmcs(m))
            v->vmcs.field[m] = sim_values[m][state->vcpu[i].field[m - MODEL_S_CET]];
    }
    v->gs_base = sim_values[MODEL_KERNEL_GS_BASE][state->vcpu[i].gs_base];
    v->home = state->vcpu[i].home;
    v->context.areas.count = state->vcpu[i].area_count;
    v->vmcs.area_count = state->vcpu[i].counted;
    for (unsigned n = 0; n < v->context.areas.count; n++) {
        const uint8_t *a = state->vcpu[i].area[n];
        v->area[0][n] = (struct msr_area_entry){sim_index[a[0]], 0, sim_values[a[0]][a[1]]};
        v->area[1][n] = (struct msr_area_entry){sim_index[a[0]], 0, sim_values[a[0]][a[2]]};
    }
}

void model_restore(const struct model_state *state)
{
    for (unsigned i = 0; i < MODEL_CPUS; i++)
        restore_cpu(&model_cpus[i], state, i);
    for (unsigned i = 0; i < MODEL_VCPUS; i++)
        restore_vcpu(&model_vcpus[i], state, i);
}
