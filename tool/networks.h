/* SPDX-License-Identifier: BSD-2-Clause */
/* The networks of the host and of the VMs: a process for each, and a channel for each VM on it. */
#pragma once

#include "tool/loading.h"

/* Checks the keys of all networks, and adds what they need to the plan. After the VMs, whose names
 * are in the plan then. */
void networks_load(struct loading *loading);
