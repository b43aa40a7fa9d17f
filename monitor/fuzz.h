/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports of a guest that is fuzzed, and the page by which lintel fuzz hears how it took an input
 * (abi/fuzz.h): whatever ends the guest then, the VM stands, and can be restored.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/fuzz.h"
#include "monitor/guest_memory.h"

struct fuzz {
    const struct guest_memory *memory;
    uint32_t buffer;
    bool runs; /* the guest has an input */
    bool told; /* that there is no such buffer */
};

/* At each start of the machine. */
void fuzz_reset(struct fuzz *fuzz, const struct guest_memory *memory);

uint32_t fuzz_read(struct fuzz *fuzz, uint16_t port);
void fuzz_write(struct fuzz *fuzz, uint16_t port, uint32_t value);

/* The guest ends, and why. Where it has an input this does not return. */
void fuzz_end(struct fuzz *fuzz, enum fuzz_state how, uint32_t value, const char *why);
