/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's IA32_SPEC_CTRL: what it has written, beside what is always set (msr/spec_ctrl.h; R25).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* Once on each CPU: what it has. Returns the host's value. */
uint64_t guest_spec_ctrl_init(void);

/* As after a reset. */
void guest_spec_ctrl_reset(struct vcpu *v);

/* The guest that runs writes a value. False: a bit that is reserved on this CPU. */
bool guest_spec_ctrl_write(struct vcpu *v, uint64_t value);
