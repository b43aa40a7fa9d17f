/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vCPUs of one VM among each other (R21, R36). Its monitor is sequential code: one of them has
 * it, from an exit of its own to the GATE_RUN that answers this; another one whose exit needs the
 * monitor waits as one does that has halted. A VM with one vCPU calls nothing of it on an exit.
 *
 * INIT takes a vCPU when it is between two instructions and the monitor has heard all that it has
 * to hear of it. Then it is off, which costs nothing: nobody schedules it until a SIPI comes.
 */
#ifndef VM_SEVERAL_H
#define VM_SEVERAL_H

#include "hypervisor/vm/vm.h"

/* v, which runs, gets the monitor. False: another vCPU has it, v waits for it, and is called. */
bool monitor_take(struct vcpu *v);

/* v, whose exit has been answered, has the monitor no more: who waits for it is called. Does not
 * return where an INIT has come for v. */
void monitor_give_up(struct vcpu *v);

/* The first vCPU has the monitor, where it is at a call that returns 0; all others are as after
 * power-up, and off. */
void monitor_reset(struct vm *vm);

/* An INIT or a SIPI has been sent to v. The first vCPU's INIT is the monitor's: it starts the
 * machine anew. */
void vcpu_send_init(struct vcpu *v);
void vcpu_send_sipi(struct vcpu *v, uint8_t vector);

/* Whether each vCPU is off, or has halted and nothing but an NMI wakes it. */
bool vm_is_dead(const struct vm *vm);

#endif
