/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks that a VM entry makes, made in software to say in words why one failed (R9).
 * SDM volume 3, "Checks on VMX Controls and Host-State Area" and "Checking and Loading Guest
 * State".
 */
#ifndef VMX_ENTRY_CHECKS_H
#define VMX_ENTRY_CHECKS_H

#include "hypervisor/vmx/caps.h"
#include "hypervisor/vmx/vmcs.h"

#include <stdint.h>

/* A VMCS: its fields by a call, and the CPU that it is for. A field that the CPU does not have
 * reads as 0. */
struct vmcs_view {
    uint64_t (*read)(void *ctx, enum vmcs_field field);
    void *ctx;
    const struct vmx_caps *caps;
};

/* Each returns what the first failing check found, with the field's name, as a static string; or
 * NULL. */
const char *entry_check_controls(const struct vmcs_view *vmcs);
const char *entry_check_host(const struct vmcs_view *vmcs);
const char *entry_check_guest(const struct vmcs_view *vmcs);

/* All three in the CPU's order. */
const char *entry_check(const struct vmcs_view *vmcs);

#endif
