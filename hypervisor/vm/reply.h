/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's answer to an exit, taken into the vCPU before it runs again. */
#ifndef VM_REPLY_H
#define VM_REPLY_H

#include "hypervisor/vm/vcpu.h"

/* Reads the exit page once. Whatever it says can harm only the guest itself. */
void reply_apply(struct vcpu *v);

#endif
