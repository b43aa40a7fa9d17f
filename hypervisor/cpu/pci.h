/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's PCI devices: only the first segment group is seen. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PCI_BARS 6
#define PCI_NONE UINT32_MAX

/* What a base address register decodes. */
struct pci_bar {
    uint64_t base, size; /* of ports, or of memory; size 0: nothing */
    bool ports;
};

/* Takes bus mastering from a function, if it has it and is no bridge: whether there was something
 * to take. */
bool pci_stop_master(uint32_t function);

/*
 * Takes bus mastering from each endpoint that has it; returns how many had. Bridges keep it, for
 * what is behind them and for what the chipset does itself.
 */
uint32_t pci_stop_masters(void);

/* The function of this class (base class, subclass, interface) with so many of it before it, in the
 * order of bus, device and function; or PCI_NONE. */
uint32_t pci_find(uint32_t class, uint32_t index);

/* Its device above, its vendor below. */
uint32_t pci_id(uint32_t function);

/* What it decodes, by register; a 64-bit one leaves the next without. It must not be in use: it
 * decodes nothing meanwhile. */
void pci_bars(uint32_t function, struct pci_bar bars[PCI_BARS]);

/* Lets it decode its ports and memory, and be a master. */
void pci_enable(uint32_t function);

/*
 * Has it interrupt by a message: MSI, or the first entry of MSI-X, whose table is in memory that
 * `map` makes accessible. False: it has neither.
 */
bool pci_interrupt(uint32_t function, uint32_t address, uint32_t data,
                   volatile uint32_t *(*map)(uint64_t phys, uint64_t size));
