/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's SMBIOS tables, by which its software learns what it runs on. */
#pragma once

#include "abi/gate.h"
#include "abi/process.h"
#include "monitor/guest_memory.h"

/* Guest-physical: the entry point, and behind it all structures, where the specification has the
 * entry point looked for. */
#define SMBIOS_BASE 0xf0000ULL
#define SMBIOS_SIZE 0x1000ULL

/* Writes entry point and structures for the machine of these two. */
void smbios_build(const struct guest_memory *memory, const struct process_info *process,
                  const struct monitor_info *info);
