/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's answer to an exit, taken into the vCPU before it runs again. */
#pragma once

#include "hypervisor/vm/vcpu.h"

/* The monitor has emulated an instruction. Reads the exit page once; whatever it says can harm only
 * the guest itself. */
void reply_take_emulated(struct vcpu *v);

/* The answer to EXIT_IO_WATCHED. */
void reply_take_watched(struct vcpu *v);

/* IN: 8 and 16 bits keep the rest of RAX, 32 bits clear the upper half. OUT has the mask 0. */
static inline void reply_take_input(struct vcpu *v)
{
    v->gpr[GPR_RAX] = (v->gpr[GPR_RAX] & v->input_keep) | (v->page->io.value & v->input_mask);
}

static inline void reply_apply(struct vcpu *v)
{
    uint32_t kind = v->exit_kind;

    v->exit_kind = EXIT_EVENTS;
    if (kind == EXIT_IO)
        reply_take_input(v);
    else if (kind == EXIT_MMIO || kind == EXIT_IO_STRING || kind == EXIT_TASK_SWITCH)
        reply_take_emulated(v);
    else if (kind == EXIT_IO_WATCHED)
        reply_take_watched(v);
}
