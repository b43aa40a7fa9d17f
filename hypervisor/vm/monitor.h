/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring-3 process of a VM. */
#pragma once

#include "hypervisor/vm/vm.h"

/*
 * Builds the monitor of vm: loads the image, maps the plan's files that it names, guest memory and
 * the pages that it shares with the hypervisor. Stops with a verdict where the image is no program.
 */
void monitor_create(struct vm *vm, const struct phys_range *image, const struct phys_range *files);
