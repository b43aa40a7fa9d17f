/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a VM: the description's on-reset, on-fault and on-halt. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/plan.h"

enum happening {
    HAPPENING_RESET,
    HAPPENING_TRIPLE_FAULT, /* a PC takes it as a reset */
    HAPPENING_FAULT,        /* any other */
    HAPPENING_HALT,
};

/* Whether the VM restarts; otherwise it stops. `on` has an enum plan_action for each plan_event. */
bool policy_restarts(const uint32_t on[static PLAN_EVENT_COUNT], enum happening what);
