/* SPDX-License-Identifier: BSD-2-Clause */
/* Data accesses in the guest's name: by guest-linear address, to RAM or to a device. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/board.h"
#include "monitor/emulate.h"
#include "monitor/walk.h"

/* No page: not canonical, and more than 32 bits. */
#define GUEST_NO_PAGE (1ULL << 62)

/*
 * In whose name an access is. The device's page that made the guest exit needs no walk: the
 * processor has translated and checked the access that reached it. While DR7 has a breakpoint there
 * is no such page, and each access is compared with it.
 */
struct guest_access {
    struct board *board;
    unsigned vcpu;
    const struct guest_state *state;
    uint64_t device_linear; /* of that access, or GUEST_NO_PAGE */
    uint64_t device_physical;
    bool device_write;    /* it was a write */
    uint32_t breakpoints; /* out: those that the accesses by guest_translate met, a bit for each */
};

/* Where up to 8 bytes lie: in one page, or at the end of one and the start of another. */
struct guest_place {
    uint64_t physical[2];
    unsigned size[2];
};

/* Finds the place, for reading or writing it; false: *fault is what the guest gets. */
bool guest_translate(struct guest_access *a, uint64_t linear, unsigned size, enum walk_access kind,
                     struct guest_place *place, struct emulate_fault *fault);
uint64_t guest_load(const struct guest_access *a, const struct guest_place *place);
void guest_store(const struct guest_access *a, const struct guest_place *place, uint64_t value);

/* The emulate_ functions of emulate.h are here: their ctx is a struct guest_access. */
