/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's device memory: regions.def turned into look-ups. R41. */
#include "monitor/board.h"

#include "monitor/gate.h"

/* The xAPIC page: the registers are the hypervisor's. Each has 4 bytes at a multiple of 16. */

static uint32_t lapic_load(struct board *b, unsigned vcpu, uint64_t offset)
{
    int64_t value = offset % 16 == 0 ? gate_lapic_read((uint32_t)offset) : -1;

    return value < 0 ? UINT32_MAX : (uint32_t)value;
}

static void lapic_store(struct board *b, unsigned vcpu, uint64_t offset, uint32_t value)
{
    if (offset % 16 == 0)
        gate_lapic_write((uint32_t)offset, value);
}

static uint32_t ioapic_load(struct board *b, unsigned vcpu, uint64_t offset)
{
    return ioapic_read(&b->ioapic, offset);
}

static void ioapic_store(struct board *b, unsigned vcpu, uint64_t offset, uint32_t value)
{
    ioapic_write(&b->ioapic, offset, value);
}

static uint32_t pci_memory_load(struct board *b, unsigned vcpu, uint64_t offset)
{
    return (uint32_t)pci_load(&b->pci, false, (uint32_t)(PCI_MEMORY + offset), 4);
}

static void pci_memory_store(struct board *b, unsigned vcpu, uint64_t offset, uint32_t value)
{
    pci_store(&b->pci, false, (uint32_t)(PCI_MEMORY + offset), 4, value);
}

static const struct region {
    uint64_t base, size;
    uint32_t (*load)(struct board *b, unsigned vcpu, uint64_t offset);
    void (*store)(struct board *b, unsigned vcpu, uint64_t offset, uint32_t value);
} regions[] = {
#define REGION(base, size, device) {base, size, device##_load, device##_store},
#include "monitor/regions.def"
#undef REGION
};

static const struct region *region_at(uint64_t address)
{
    for (unsigned i = 0; i < ARRAY_SIZE(regions); i++)
        if (address - regions[i].base < regions[i].size)
            return &regions[i];
    return NULL;
}

/* The aligned 4 bytes at an address. */
static uint32_t load_4(struct board *b, unsigned vcpu, uint64_t address)
{
    const struct region *r = region_at(address);

    return r == NULL ? UINT32_MAX : r->load(b, vcpu, address - r->base);
}

/* On the bus a register is as wide as it likes, and reading may have effects. */
static bool on_bus(uint64_t address)
{
    return address - PCI_MEMORY < PCI_MEMORY_SIZE;
}

__attribute__((noinline)) static uint64_t load_parts(struct board *b, unsigned vcpu,
                                                     uint64_t address, unsigned size)
{
    uint64_t aligned = address & ~3ULL;
    unsigned shift = (address & 3) * 8;

    if (on_bus(address))
        return pci_load(&b->pci, false, (uint32_t)address, size);
    if (shift + size * 8 <= 32)
        return load_4(b, vcpu, aligned) >> shift & (UINT32_MAX >> (4 - size) * 8);
    uint64_t value = load_4(b, vcpu, aligned) | (uint64_t)load_4(b, vcpu, aligned + 4) << 32;

    value >>= shift;
    if (shift + size * 8 > 64)
        value |= (uint64_t)load_4(b, vcpu, aligned + 8) << (64 - shift);
    return value & (UINT64_MAX >> (8 - size) * 8);
}

/* Off the bus a register is read as a whole, and what was asked for is taken out of it: reading has
 * no effect in these devices. */
uint64_t board_load(struct board *b, unsigned vcpu, uint64_t address, unsigned size)
{
    if (size == 4 && address % 4 == 0)
        return load_4(b, vcpu, address);
    return load_parts(b, vcpu, address, size);
}

static void store_4(struct board *b, unsigned vcpu, uint64_t address, uint32_t value)
{
    const struct region *r = region_at(address);

    if (r != NULL)
        r->store(b, vcpu, address - r->base, value);
}

/* Off the bus only whole registers are written: the devices of a PC take nothing else there. */
__attribute__((noinline)) static void store_parts(struct board *b, unsigned vcpu, uint64_t address,
                                                  unsigned size, uint64_t value)
{
    if (on_bus(address))
        pci_store(&b->pci, false, (uint32_t)address, size, value);
    else
        for (; size >= 4 && address % 4 == 0; address += 4, size -= 4, value >>= 32)
            store_4(b, vcpu, address, (uint32_t)value);
}

void board_store(struct board *b, unsigned vcpu, uint64_t address, unsigned size, uint64_t value)
{
    if (size == 4 && address % 4 == 0)
        store_4(b, vcpu, address, (uint32_t)value);
    else
        store_parts(b, vcpu, address, size, value);
}
