/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPUs that Lintel does not use. The firmware leaves them asleep in memory of its own, which a
 * guest may own by now, and without CR4.MCE: a machine check, which goes to all CPUs, would then
 * shut the machine down. So they sleep in a page of ours, with machine checks on (R44).
 */
#ifndef CPU_PARK_H
#define CPU_PARK_H

#include <stdint.h>

#include "hypervisor/cpu/phys_map.h"

/*
 * Parks each CPU of these local APIC ids but this one (SDM volume 3, "Multiple-Processor (MP)
 * Initialization"), and says how many there are. page: a free one below 1 MiB, for them alone;
 * PHYS_MAP_NONE: there is none. After apic_init.
 */
void park_others(const uint32_t *ids, uint32_t count, uint64_t page);

#endif
