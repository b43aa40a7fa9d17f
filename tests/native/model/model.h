/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two CPUs, and two vCPUs of different VMs with a monitor each, that use msr/switch.c as the
 * hypervisor does. The MSRs are simulated: a WRMSR of what a processor refuses, or of what is there
 * already, breaks an invariant, as does a guest or a monitor that finds a wrong value (R25, R26,
 * R29-R32, R34, R35).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/msr/switch.h"

#define MODEL_CPUS  2
#define MODEL_VCPUS 2

/* The MSRs that are simulated: the resident ones, those which go through the areas where their
 * controls lack, and those that each entry loads from the VMCS. */
enum model_msr {
    MODEL_STAR,
    MODEL_LSTAR,
    MODEL_CSTAR,
    MODEL_FMASK,
    MODEL_KERNEL_GS_BASE,
    MODEL_SPEC_CTRL,
    MODEL_TSC_AUX, /* not each CPU has it */
    MODEL_U_CET,   /* nor these: CET, XSAVES and PKS */
    MODEL_PL0_SSP,
    MODEL_PL1_SSP,
    MODEL_PL2_SSP,
    MODEL_PL3_SSP,
    MODEL_XSS,
    MODEL_S_CET, /* the first that the VMCS has */
    MODEL_SSP_TABLE,
    MODEL_PKRS, /* the last one */
    MODEL_EFER,
    MODEL_PAT,
    MODEL_MSRS
};

/* The values that each of them can have; a guest writes its own, the host's and one that is
 * refused. */
enum model_value {
    VALUE_RESET,
    VALUE_HOST,
    VALUE_VCPU_0,
    VALUE_VCPU_1,
    VALUE_FIRMWARE, /* what the MSR holds when the hypervisor starts */
    VALUE_REFUSED,  /* 0: any value loads */
    VALUES
};

/* What a CPU does. */
enum model_place {
    PLACE_IDLE,    /* ring 0, for no vCPU */
    PLACE_EXITED,  /* ring 0 handles an exit of the vCPU */
    PLACE_MONITOR, /* ring 3, the monitor of the vCPU's VM */
    PLACE_GUEST
};

enum model_step {
    STEP_ENTER,   /* the guest of a vCPU, from wherever the CPU was */
    STEP_RESUME,  /* straight from the exit */
    STEP_EXIT,    /* with nothing to do */
    STEP_MONITOR, /* ring 3 runs */
    STEP_WRITE,   /* the guest's WRMSR; where it exits the CPU is in the exit then */
    STEP_SWAPGS,
    STEP_MOVE,  /* the vCPU leaves its CPU for the other one */
    STEP_RESET, /* the monitor that runs starts its VM anew */
    STEP_INIT,  /* that VM's vCPU has come to its SIPI */
    STEP_KINDS
};

struct model_action {
    enum model_step step;
    uint8_t cpu, vcpu; /* STEP_MOVE: no cpu; ENTER, MONITOR and MOVE: vcpu */
    uint8_t msr, value;
};

/* What is explored. */
struct model_config {
    const char *name;
    uint32_t written; /* bit n: guests write MSR n */
    bool tsc_aux[MODEL_VCPUS], host_tsc_aux;
    bool modern;           /* CPUs with CET, XSAVES and PKS */
    unsigned linear_width; /* of the CPUs */
    uint32_t controls;     /* enum msr_control */
    unsigned depth;        /* how many actions; 0: until there is no new state */
};

/* All that a state says: each value as its number. */
struct model_state {
    struct {
        uint8_t msr[MODEL_MSRS];
        uint8_t place, vcpu, owner;
        uint8_t host[(MODEL_MSRS + 7) / 8]; /* bits */
    } cpu[MODEL_CPUS];
    struct {
        uint8_t file[MODEL_MSRS], expected[MODEL_MSRS];
        uint8_t field[MODEL_PKRS - MODEL_S_CET + 1];
        uint8_t gs_base, home;
        uint8_t area_count, counted; /* counted: the count that the VMCS has */
        uint8_t area[MODEL_MSRS][3];
    } vcpu[MODEL_VCPUS];
};

/* The first state. */
void model_begin(const struct model_config *config, enum msr_strategy strategy);
void model_save(struct model_state *state);
void model_restore(const struct model_state *state);

/* Whether the action is possible in the present state; if so it has happened. */
bool model_act(const struct model_action *action);

/* The name of the first invariant that has been broken since model_begin, or a null pointer. */
const char *model_broken(void);

/* Writes all actions that a configuration may have to list; how many. */
#define MODEL_ACTIONS_MAX 128
unsigned model_actions(const struct model_config *config,
                       struct model_action list[MODEL_ACTIONS_MAX]);

/* An action in words. */
void model_describe(const struct model_action *action, char text[80]);
