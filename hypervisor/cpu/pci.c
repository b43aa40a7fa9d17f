/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI local bus specification, "Configuration Space", by the configuration mechanism at the ports
 * CF8h and CFCh. */
#include "hypervisor/cpu/pci.h"

#include "hypervisor/cpu/instructions.h"
#include "lib/bits.h"
#include "lib/lock.h"
#include "lib/pci.h"

#define SLOTS     0x2000 /* devices on all buses */
#define FUNCTIONS 8

/* Of the double words of a function's configuration space; above the command is the status, which
 * ones clear. */
#define NO_VENDOR    0xffff
#define CLASS_BRIDGE 6
#define HEADER_TYPE  0x7f0000
#define HEADER_MULTI 0x800000

/* Base address registers: PCI local bus specification, "Base Addresses". */
#define BAR(n)         (PCI_BAR + 4 * (n))
#define BAR_64         0x4u
#define BAR_FLAGS      0xfu
#define BAR_PORT_FLAGS 0x3u
#define MEMORY_END     BIT(46)

/* Capabilities: "Capabilities List", "MSI and MSI-X". */
#define CAPABILITY_MSI  0x05
#define CAPABILITY_MOST 48 /* more would be a loop */
#define MSI_ENABLE      0x10000u
#define MSI_64          0x800000u
#define MSI_MULTIPLE    0x700000u
#define MSIX_BAR        0x7u
#define MSIX_ENTRY      16

static uint32_t lock; /* address and data belong together (R20) */

static uint32_t read(uint32_t function, uint32_t reg)
{
    lock_take(&lock);
    outl(PCI_ADDRESS_PORT, PCI_ADDRESS_ENABLE | function << 8 | reg);
    uint32_t value = inl(PCI_DATA_PORT);
    lock_release(&lock);
    return value;
}

static void write(uint32_t function, uint32_t reg, uint32_t value)
{
    lock_take(&lock);
    outl(PCI_ADDRESS_PORT, PCI_ADDRESS_ENABLE | function << 8 | reg);
    outl(PCI_DATA_PORT, value);
    lock_release(&lock);
}

static bool is_there(uint32_t function)
{
    return (read(function, PCI_ID) & NO_VENDOR) != NO_VENDOR;
}

bool pci_stop_master(uint32_t function)
{
    uint32_t command = read(function, PCI_COMMAND) & 0xffff;

    if (!(command & PCI_COMMAND_MASTER) || read(function, PCI_HEADER) & HEADER_TYPE ||
        read(function, PCI_CLASS) >> 24 == CLASS_BRIDGE)
        return false;
    write(function, PCI_COMMAND, command & ~PCI_COMMAND_MASTER);
    return true;
}

/* The function to look at behind this one: behind a device's first, which is there alone or not at
 * all, the next device's. */
static uint32_t next(uint32_t function)
{
    bool several = function % FUNCTIONS != 0 ||
                   (is_there(function) && read(function, PCI_HEADER) & HEADER_MULTI);

    return function + (several ? 1 : FUNCTIONS);
}

uint32_t pci_stop_masters(void)
{
    uint32_t stopped = 0;

    for (uint32_t f = 0; f < SLOTS * FUNCTIONS; f = next(f))
        stopped += is_there(f) && pci_stop_master(f);
    return stopped;
}

uint32_t pci_find(uint32_t class, uint32_t index)
{
    for (uint32_t f = 0; f < SLOTS * FUNCTIONS; f = next(f))
        if (is_there(f) && read(f, PCI_CLASS) >> 8 == class && index-- == 0)
            return f;
    return PCI_NONE;
}

uint32_t pci_id(uint32_t function)
{
    return read(function, PCI_ID);
}

/* A register with all ones shows which bits it has. */
static uint32_t probe(uint32_t function, unsigned n)
{
    uint32_t value = read(function, BAR(n)), bits;

    write(function, BAR(n), UINT32_MAX);
    bits = read(function, BAR(n));
    write(function, BAR(n), value);
    return bits;
}

/* Where no page table of Lintel's reaches is as good as nowhere. */
static struct pci_bar read_bar(uint32_t function, unsigned n)
{
    uint32_t low = read(function, BAR(n)), bits = probe(function, n);

    if (low & PCI_BAR_IO)
        return (struct pci_bar){low & ~BAR_PORT_FLAGS & 0xffff,
                                bits == 0 ? 0 : -(bits & ~BAR_PORT_FLAGS) & 0xffff, true};
    uint64_t base = low & ~BAR_FLAGS, mask = bits & ~BAR_FLAGS;
    if (low & BAR_64 && n + 1 < PCI_BARS) {
        base |= (uint64_t)read(function, BAR(n + 1)) << 32;
        mask |= (uint64_t)probe(function, n + 1) << 32;
    } else if (mask != 0) {
        mask |= 0xffffffff00000000;
    }
    return (struct pci_bar){base < MEMORY_END ? base : 0, -mask, false};
}

void pci_bars(uint32_t function, struct pci_bar bars[PCI_BARS])
{
    uint32_t command = read(function, PCI_COMMAND) & 0xffff;

    write(function, PCI_COMMAND, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    for (unsigned n = 0; n < PCI_BARS; n++) {
        bool wide = (read(function, BAR(n)) & (PCI_BAR_IO | BAR_64)) == BAR_64;
        bars[n] = read_bar(function, n);
        if (wide && n + 1 < PCI_BARS)
            bars[++n] = (struct pci_bar){.size = 0};
    }
    write(function, PCI_COMMAND, command);
}

void pci_enable(uint32_t function)
{
    uint32_t command = read(function, PCI_COMMAND) & 0xffff;

    write(function, PCI_COMMAND,
          command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* The place of a capability, or 0. */
static uint32_t capability(uint32_t function, uint8_t id)
{
    bool listed = read(function, PCI_COMMAND) & PCI_STATUS_CAPABILITIES << 16;
    uint32_t at = listed ? read(function, PCI_CAPABILITIES) & 0xfc : 0;

    for (unsigned i = 0; i < CAPABILITY_MOST && at != 0; i++) {
        uint32_t header = read(function, at);
        if ((header & 0xff) == id)
            return at;
        at = header >> 8 & 0xfc;
    }
    return 0;
}

static void set_msi(uint32_t function, uint32_t at, uint32_t address, uint32_t data)
{
    uint32_t header = read(function, at);
    bool wide = header & MSI_64; /* the address, before the data */

    write(function, at + 4, address);
    if (wide)
        write(function, at + 8, 0);
    write(function, at + (wide ? 12 : 8), data);
    write(function, at, (header & ~MSI_MULTIPLE) | MSI_ENABLE);
}

/* Before its memory is decoded elsewhere: it must be on already. */
static bool set_msix(uint32_t function, uint32_t at, uint32_t address, uint32_t data,
                     volatile uint32_t *(*map)(uint64_t phys, uint64_t size))
{
    uint32_t table = read(function, at + PCI_MSIX_TABLE);
    struct pci_bar bars[PCI_BARS];

    pci_bars(function, bars);
    const struct pci_bar *bar = &bars[table & MSIX_BAR];
    if ((table & MSIX_BAR) >= PCI_BARS || bar->ports || bar->base == 0 ||
        (table & ~MSIX_BAR) + MSIX_ENTRY > bar->size)
        return false;
    volatile uint32_t *entry = map(bar->base + (table & ~MSIX_BAR), MSIX_ENTRY);
    mmio_write(entry, address);
    mmio_write(entry + 1, 0);
    mmio_write(entry + 2, data);
    mmio_write(entry + 3, 0); /* not masked */
    write(function, at, (read(function, at) & ~(PCI_MSIX_MASK_ALL << 16)) | PCI_MSIX_ENABLE << 16);
    return true;
}

bool pci_interrupt(uint32_t function, uint32_t address, uint32_t data,
                   volatile uint32_t *(*map)(uint64_t phys, uint64_t size))
{
    uint32_t msi = capability(function, CAPABILITY_MSI),
             msix = capability(function, PCI_CAPABILITY_MSIX);

    if (msix != 0 && set_msix(function, msix, address, data, map))
        return true;
    if (msi != 0)
        set_msi(function, msi, address, data);
    return msi != 0;
}
