/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated NVM Express controller, written from the specification (Base 2.0 and NVM Command Set
 * 1.0), which fails the test where its host does what is not allowed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the controller is; nvme_new() sets an ordinary one. */
extern struct nvme_device {
    uint64_t cap;
    uint8_t mdts, lba_shift;
    uint16_t oncs, metadata;
    uint64_t blocks;
    bool write_protected;
    unsigned ticks_to_ready; /* and to stop */
    bool never_ready, never_stops, fails, silent;
} nvme_device;

void nvme_new(void);
/* It runs already, for somebody else, with a command of his that writes to memory under way. */
void nvme_predecessor(bool ready);
/* Whether that command can still be done. */
bool nvme_predecessor_lives(void);
/* Posts a completion that no command asked for. */
void nvme_post_nonsense(uint16_t id);
/* The largest transfer of one command until now, in bytes, and how many commands there were. */
extern uint32_t nvme_largest;
extern unsigned nvme_commands;
