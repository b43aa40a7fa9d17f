/* SPDX-License-Identifier: BSD-2-Clause */
/* What simulated devices share: memory, a medium that can have a bad sector, and time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

extern uint64_t bad_sector; /* of the medium; UINT64_MAX: none */
extern unsigned flushes;    /* of the medium */
extern uint64_t now;        /* the TSC */

/* For a new machine: no sector is bad. */
void simulated_new(void);
/* Time goes on in the device, for each time that somebody looks at the clock. */
void device_tick(void);

/* Copies between sectors of the medium and memory. False: a sector is bad, or there is none. */
bool medium_copy(bool write, uint64_t sector, uint64_t physical, uint32_t bytes);
bool medium_has(uint64_t sector, uint64_t sectors);
