/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI host's configuration mechanism 1: an address port and a data port. What is on the bus is
 * a table of functions; where there is none, reads give all ones and writes are dropped.
 */
#ifndef MONITOR_PCI_H
#define MONITOR_PCI_H

#include <stdint.h>

#include "abi/plan.h"

#define PCI_ADDRESS_PORT 0xcf8
#define PCI_DATA_PORT    0xcfc

/* One function's configuration space. The offset is below 256, the access naturally aligned within
 * 4 bytes. */
struct pci_function {
    uint16_t bdf; /* bus, device, function: 8, 5 and 3 bits */
    void *device;
    uint32_t (*read)(void *device, unsigned offset, unsigned size);
    void (*write)(void *device, unsigned offset, unsigned size, uint32_t value);
};

struct pci {
    const struct pci_function *functions;
    unsigned count;
    uint32_t address[PLAN_MAX_VCPUS]; /* R20: the index is state of the vCPU that wrote it */
};

uint32_t pci_read_address(const struct pci *pci, unsigned vcpu);
void pci_write_address(struct pci *pci, unsigned vcpu, uint32_t value);

/* `port` is one of the four data ports; the access does not go beyond the last of them. */
uint32_t pci_read_data(const struct pci *pci, unsigned vcpu, uint16_t port, unsigned size);
void pci_write_data(const struct pci *pci, unsigned vcpu, uint16_t port, unsigned size,
                    uint32_t value);

#endif
