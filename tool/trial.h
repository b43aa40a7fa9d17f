/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a guest can be loaded: the monitor's own loader is asked (monitor/load.h), so that what
 * `lintel check` calls good is not refused at boot.
 */
#pragma once

#include "monitor/load.h"

/*
 * Whether load->kernel, ->initrd and ->cmdline can be loaded into a VM with so many bytes of
 * memory; those above 3 GiB do not count. False: load->wrong and load->error say why not.
 */
bool trial_load(struct load *load, uint64_t memory);

/* The least memory in which they can, where they can in PLAN_HOLE_START: bytes. */
uint64_t trial_least_memory(struct load *load);
