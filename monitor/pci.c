/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration mechanism 1 and base address registers (PCI Local Bus Specification,
 * "Configuration Mechanism #1", "Base Addresses"). R20. */
#include "monitor/pci.h"

#include <stddef.h>

#include "lib/bits.h"
#include "lib/string.h"

#define ADDRESS_BITS 0x80fffffcu
#define DEVICE_SHIFT 11 /* of the address; above it the bus, below it the function */

void pci_set(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    memcpy(f->config + offset, &value, size);
}

uint32_t pci_get(const struct pci_function *f, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)f->config[offset + i] << 8 * i;
    return value;
}

void pci_set_writable(struct pci_function *f, unsigned offset, unsigned size, uint32_t bits)
{
    memcpy(f->writable + offset, &bits, size);
}

void pci_set_bar(struct pci_function *f, unsigned bar, bool io, uint32_t size)
{
    pci_set(f, PCI_BAR + 4 * bar, 4, io ? PCI_BAR_IO : 0);
    pci_set_writable(f, PCI_BAR + 4 * bar, 4, ~(size - 1));
    pci_set_writable(f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

uint16_t pci_io_bar(const struct pci_function *f, unsigned bar)
{
    uint32_t port = pci_get(f, PCI_BAR + 4 * bar, 4) & ~3u;

    return pci_get(f, PCI_COMMAND, 2) & PCI_COMMAND_IO && port - PCI_IO < PCI_IO_SIZE
               ? (uint16_t)port
               : 0;
}

bool pci_is_master(const struct pci_function *f)
{
    return pci_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}

/* A BAR's size is what its address bits leave; 0: there is no BAR. */
static struct pci_range range(struct pci_function *f, unsigned bar)
{
    uint32_t bits, value = pci_get(f, PCI_BAR + 4 * bar, 4);

    memcpy(&bits, f->writable + PCI_BAR + 4 * bar, sizeof(bits));
    return (struct pci_range){value & bits, -bits, f, (uint8_t)bar, value & PCI_BAR_IO};
}

static void decode(struct pci *pci, struct pci_function *f)
{
    uint32_t command = pci_get(f, PCI_COMMAND, 2);

    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        struct pci_range r = range(f, bar);

        if (r.size > 0 && command & (r.io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))
            pci->ranges[pci->range_count++] = r;
    }
}

static void decode_all(struct pci *pci)
{
    pci->range_count = 0;
    for (unsigned i = 0; i < pci->count; i++)
        decode(pci, pci->functions[i]);
}

void pci_reset(struct pci *pci)
{
    *pci = (struct pci){.next_io = PCI_IO, .next_memory = PCI_MEMORY};
}

bool pci_add(struct pci *pci, struct pci_function *f)
{
    if (pci->count == PCI_FUNCTIONS)
        return false;
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        struct pci_range r = range(f, bar);
        uint32_t *next = r.io ? &pci->next_io : &pci->next_memory;

        if (r.size == 0)
            continue;
        r.first = (uint32_t)align_up(*next, r.size);
        *next = r.first + r.size;
        pci_set(f, PCI_BAR + 4 * bar, 4, r.first | (r.io ? PCI_BAR_IO : 0));
        pci_set(f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    }
    pci->functions[pci->count++] = f;
    decode_all(pci);
    return true;
}

static struct pci_function *selected(const struct pci *pci, uint32_t address)
{
    unsigned device = (address & ~PCI_ADDRESS_ENABLE) >> DEVICE_SHIFT, function = address >> 8 & 7;

    if (!(address & PCI_ADDRESS_ENABLE) || function != 0 || device >= pci->count)
        return NULL;
    return pci->functions[device];
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
    struct pci_function *f = selected(pci, address);

    if (f == NULL)
        return UINT32_MAX;
    if (f->operations != NULL)
        f->operations->reads(f->device, offset_of(address, port));
    return pci_get(f, offset_of(address, port), size);
}

void pci_write_data(struct pci *pci, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    uint32_t address = pci->address[vcpu];
    unsigned offset = offset_of(address, port);
    struct pci_function *f = selected(pci, address);

    if (f == NULL)
        return;
    for (unsigned i = offset; i < offset + size; i++, value >>= 8)
        f->config[i] = (f->config[i] & ~f->writable[i]) | (value & f->writable[i]);
    if (offset < PCI_BAR + 4 * PCI_BARS)
        decode_all(pci);
    if (f->operations != NULL)
        f->operations->written(f->device, offset);
}

static const struct pci_range *range_at(const struct pci *pci, bool io, uint32_t address)
{
    for (unsigned i = 0; i < pci->range_count; i++) {
        const struct pci_range *r = &pci->ranges[i];

        if (address - r->first < r->size && r->io == io)
            return r;
    }
    return NULL;
}

static bool natural(uint32_t address, unsigned size)
{
    return (size == 1 || size == 2 || size == 4) && is_aligned(address, size);
}

/* What any other is split into. */
static unsigned step_of(uint32_t address, unsigned size)
{
    return size == 8 && is_aligned(address, 4) ? 4 : 1;
}

uint64_t pci_load(const struct pci *pci, bool io, uint32_t address, unsigned size)
{
    const struct pci_range *r = range_at(pci, io, address);
    uint64_t value = UINT32_MAX;

    if (natural(address, size)) {
        if (r != NULL)
            value = r->function->operations->load(r->function->device, r->bar, address - r->first,
                                                  size);
        return value & UINT32_MAX >> (32 - 8 * size);
    }
    value = 0;
    for (unsigned i = 0, step = step_of(address, size); i < size; i += step)
        value |= pci_load(pci, io, address + i, step) << i * 8;
    return value;
}

void pci_store(const struct pci *pci, bool io, uint32_t address, unsigned size, uint64_t value)
{
    const struct pci_range *r = range_at(pci, io, address);

    if (natural(address, size)) {
        if (r != NULL)
            r->function->operations->store(r->function->device, r->bar, address - r->first, size,
                                           (uint32_t)value & UINT32_MAX >> (32 - 8 * size));
        return;
    }
    for (unsigned i = 0, step = step_of(address, size); i < size; i += step)
        pci_store(pci, io, address + i, step, value >> i * 8);
}
