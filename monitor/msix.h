/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSI-X of a PCI function: a table of messages, which the guest fills (PCI Local Bus
 * Specification, "MSI-X Capability and Table Structures"). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/pci.h"

#define MSIX_VECTORS         8u /* at most */
#define MSIX_CAPABILITY_SIZE 12u
#define MSIX_AREA            0x1000u /* what it takes of a memory BAR */

struct msix_vector {
    uint32_t address[2], data, control;
};

struct msix {
    struct pci_function *function;
    unsigned capability; /* its offset */
    unsigned count;      /* of vectors */
    struct msix_vector vectors[MSIX_VECTORS];
    uint32_t pending; /* a bit for each: a message waits for its mask to go */
};

/* After a reset of the machine: writes the capability at `capability`, before one at `next`; the
 * table is at `at` of the memory BAR. */
void msix_init(struct msix *m, struct pci_function *function, unsigned capability, unsigned next,
               unsigned count, unsigned bar, uint32_t at);

/* Whether interrupts are messages. */
bool msix_enabled(const struct msix *m);

/* Sends a vector's message: as soon as it is not masked, and the function may write to memory. One
 * that there is not is dropped. */
void msix_send(struct msix *m, uint16_t vector);

/* What waits is sent no more. */
void msix_forget(struct msix *m);

/* After a write to the configuration space: what waited may be sent. */
void msix_look(struct msix *m);

/* The area in the BAR; writes have 4 bytes. */
uint32_t msix_load(const struct msix *m, uint32_t offset, unsigned size);
void msix_store(struct msix *m, uint32_t offset, uint32_t value);
