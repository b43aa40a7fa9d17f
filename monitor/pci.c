/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration mechanism 1 (PCI Local Bus Specification, "Configuration
 * Mechanism #1"). R20. */
#include "monitor/pci.h"

#include <stddef.h>

#define ADDRESS_ENABLE 0x80000000u
#define ADDRESS_BITS   0x80fffffcu

static const struct pci_function *selected(const struct pci *pci, uint32_t address)
{
    if (!(address & ADDRESS_ENABLE))
        return NULL;
    for (unsigned i = 0; i < pci->count; i++)
        if (pci->functions[i].bdf == (uint16_t)(address >> 8))
            return &pci->functions[i];
    return NULL;
}

static unsigned offset_of(uint32_t address, uint16_t port)
{
    return (address & 0xfc) | (port & 3);
}

uint32_t pci_read_address(const struct pci *pci, unsigned vcpu)
{
    return pci->address[vcpu];
}

void pci_write_address(struct pci *pci, unsigned vcpu, uint32_t value)
{
    pci->address[vcpu] = value & ADDRESS_BITS;
}

uint32_t pci_read_data(const struct pci *pci, unsigned vcpu, uint16_t port, unsigned size)
{
    uint32_t address = pci->address[vcpu];
    const struct pci_function *f = selected(pci, address);

    return f == NULL ? UINT32_MAX : f->read(f->device, offset_of(address, port), size);
}

void pci_write_data(const struct pci *pci, unsigned vcpu, uint16_t port, unsigned size,
                    uint32_t value)
{
    uint32_t address = pci->address[vcpu];
    const struct pci_function *f = selected(pci, address);

    if (f != NULL)
        f->write(f->device, offset_of(address, port), size, value);
}
