/* SPDX-License-Identifier: BSD-2-Clause */
/* A description's keys for how a VM ends. */
#pragma once

#include "tool/description.h"
#include "tool/machine.h"

/* Puts what becomes of the VM, and what counts as its success, into the machine; says what is wrong
 * with it. */
void ends_load(struct description_file *file, unsigned vm, struct machine *machine);
