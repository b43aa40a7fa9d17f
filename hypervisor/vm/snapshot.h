/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's snapshot: its memory, its vCPU, and all that its monitor writes but channels, which is the
 * state of its devices; in memory that the plan gives for it (plan_vm.snapshot). Pages that nobody
 * has written since are not copied, in either direction: EPT_DIRTY is the guest's mark of them, the
 * dirty flag of its monitor's page tables the monitor's.
 */
#pragma once

#include "hypervisor/vm/vm.h"

/* Takes the memory for a snapshot of vm from `free`; stops with a verdict if there is none. */
void snapshot_create(struct vm *vm, struct phys_map *free);

/*
 * For GATE_CONTROL_SNAPSHOT, with GATE_SNAPSHOT_BACK as `back`: a piece, whose VMCS is current,
 * or what is beside the pieces, with which a snapshot can be restored. 1, 0, GATE_EINVAL: there is
 * no memory for it, or no such piece; or GATE_ESTATE: it is not paused, a debugger is there, it has
 * no snapshot; or for a new one, its monitor is at work. The control process runs: no CPU has any
 * registers of the guest's.
 */
int64_t snapshot_copy(struct vm *vm, uint64_t piece, bool back);
