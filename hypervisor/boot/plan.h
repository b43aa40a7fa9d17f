/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "abi/plan.h"
#include "hypervisor/boot/multiboot.h"

/*
 * Says what is wrong with a plan of `size` bytes, in words, into text; NULL where it can be carried
 * out with these modules. Pure.
 */
const char *plan_check(const struct plan *plan, uint64_t size, const struct boot_info *info,
                       char *text, size_t text_size);

/* The plan among the modules, checked and copied; stops with a verdict where it is wrong. */
const struct plan *plan_read(const struct boot_info *info);
