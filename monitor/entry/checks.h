/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks that a VM entry makes, made in software to say in words why one failed (R9).
 * SDM volume 3, "Checks on VMX Controls and Host-State Area" and "Checking and Loading Guest
 * State". Those on the host's state are left out: it is ring 0's own, and the same for all.
 */
#pragma once

#include "abi/vmcs.h"

/* Each returns what the first failing check found, with the field's name, as a static string; or
 * NULL. */
const char *entry_check_controls(const struct vmcs_values *vmcs);
const char *entry_check_guest(const struct vmcs_values *vmcs);

/* Both in the CPU's order. */
const char *entry_check(const struct vmcs_values *vmcs);
