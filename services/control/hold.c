/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/control/hold.h"

#include <stdbool.h>

#include "abi/control.h"
#include "lib/string.h"
#include "runtime/gate.h"
#include "runtime/log.h"

static bool holds, released, told;
static uint64_t ms;            /* in ticks of the TSC */
static uint64_t looked, asked; /* when; all having ended counts as asking */

void hold_init(const struct process_info *info)
{
    holds = info->arguments[0] != '\0';
    released = told = false;
    ms = info->tsc_khz;
    looked = 0;
}

void hold_asked(void)
{
    asked = gate_tsc();
}

void hold_release(void)
{
    released = true;
}

static bool have_ended(void)
{
    struct gate_vm is;

    for (unsigned vm = 0; vm < PLAN_MAX_VMS; vm++) {
        if (gate_control(vm, GATE_CONTROL_LOOK, 0) != 0)
            continue;
        memcpy(&is, gate_text(), sizeof(is));
        if (is.state != GATE_VM_ENDED)
            return false;
    }
    return true;
}

unsigned hold_look(void)
{
    uint64_t now = gate_tsc();

    if (!holds || (looked != 0 && now - looked < HOLD_LOOK_MS * ms))
        return holds ? HOLD_LOOK_MS : 0;
    looked = now;
    if (!have_ended())
        return HOLD_LOOK_MS;
    if (released || (told && now - asked > CONTROL_HELD_S * 1000 * ms))
        log_stop(GATE_STOP_POWER_OFF, "what the VMs have left is not held any more");
    if (!told) {
        log_line("all VMs have ended; what they have left can be fetched until nobody has asked "
                 "for %u s",
                 CONTROL_HELD_S);
        asked = now;
        told = true;
    }
    return HOLD_LOOK_MS;
}
