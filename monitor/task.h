/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware task switches, which all exit (SDM volume 3, "Task Management" and "Treatment of Task
 * Switches"). */
#pragma once

#include "abi/exit.h"
#include "monitor/emulate.h"

enum task_result {
    TASK_REFUSED,  /* *fault is the old task's, in place of what wanted the switch; the state is as
                      it was */
    TASK_SWITCHED, /* the state is the new task's */
    TASK_FAULTED,  /* likewise, and *fault comes before its first instruction */
};

/*
 * Switches from the task of `state`, all of which is there, to that of a TSS of 16 or 32 bits:
 * saves the old one, loads the new one, and does what becomes of busy flags, the link and NT. With
 * ctx it reaches the guest's memory (monitor/emulate.h).
 */
enum task_result task_switch(struct guest_state *state, void *ctx, const struct exit_task *cause,
                             struct emulate_fault *fault);

/* The caller's side: the four PDPTEs that are at CR3; false: not in RAM, or with reserved bits. */
bool task_pdptes(void *ctx, uint64_t cr3, uint64_t pdpte[4]);
