/* SPDX-License-Identifier: BSD-2-Clause */
/* The process that has the control line, for lintel run --control and lintel image --control. */
#pragma once

#include "tool/loading.h"

/* Reads the VMs' key `control`, and adds the process to the plan where that is for it (enum
 * machine_use): for all VMs that do not say no, or, in an emulated machine that nobody controls
 * otherwise, for those of which a core is made. */
void control_process_load(struct loading *loading, unsigned use);

/* Whether the plan has it. */
bool control_process_is_in(const struct plan *plan);
