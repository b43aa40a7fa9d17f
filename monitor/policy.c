/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a VM: see policy.h. */
#include "monitor/policy.h"

bool policy_restarts(const uint32_t on[static PLAN_EVENT_COUNT], enum happening what)
{
    bool reset = on[PLAN_ON_RESET] != PLAN_STOP;

    switch (what) {
    case HAPPENING_RESET:
        return reset;
    case HAPPENING_TRIPLE_FAULT:
        return on[PLAN_ON_FAULT] == PLAN_AS_A_PC ? reset : on[PLAN_ON_FAULT] == PLAN_RESTART;
    case HAPPENING_FAULT:
        return on[PLAN_ON_FAULT] == PLAN_RESTART;
    case HAPPENING_HALT:
        return on[PLAN_ON_HALT] == PLAN_RESTART;
    }
    return false;
}
