/* SPDX-License-Identifier: BSD-2-Clause */
/* Data accesses in the guest's name: by guest-linear address, to RAM or to a device. */
#ifndef MONITOR_GUEST_ACCESS_H
#define MONITOR_GUEST_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/board.h"
#include "monitor/emulate.h"
#include "monitor/walk.h"

struct guest_access {
    struct board *board;
    unsigned vcpu;
    const struct guest_state *state;
};

/* Where up to 8 bytes lie: in one page, or at the end of one and the start of another. */
struct guest_place {
    uint64_t physical[2];
    unsigned size[2];
};

/* Finds the place, for reading or writing it; false: *fault is what the guest gets. */
bool guest_translate(const struct guest_access *a, uint64_t linear, unsigned size,
                     enum walk_access kind, struct guest_place *place, struct emulate_fault *fault);
void guest_load(const struct guest_access *a, const struct guest_place *place, void *data);
void guest_store(const struct guest_access *a, const struct guest_place *place, const void *data);

/* The emulator's view of the guest: its ctx is a struct guest_access. */
extern const struct emulate_memory guest_access_memory;

#endif
