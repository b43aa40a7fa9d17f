/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI local bus specification, "Configuration Space", by the configuration mechanism at the ports
 * CF8h and CFCh. */
#include "hypervisor/cpu/pci.h"

#include "hypervisor/cpu/instructions.h"
#include "lib/bits.h"
#include "lib/lock.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000

#define SLOTS     0x2000 /* devices on all buses */
#define FUNCTIONS 8

/* The double words of a function's configuration space. */
#define ID      0x0 /* the vendor below */
#define COMMAND 0x4 /* the status above, which ones clear */
#define CLASS   0x8 /* on top */
#define HEADER  0xc /* its type in the third byte */

#define NO_VENDOR      0xffff
#define COMMAND_MASTER 0x4u
#define CLASS_BRIDGE   6
#define HEADER_TYPE    0x7f0000
#define HEADER_MULTI   0x800000

/* Base address registers: PCI local bus specification, "Base Addresses". */
#define BAR(n)         (0x10 + 4 * (n))
#define BAR_PORTS      0x1u
#define BAR_64         0x4u
#define BAR_FLAGS      0xfu
#define BAR_PORT_FLAGS 0x3u
#define MEMORY_END     BIT(46)
#define COMMAND_PORTS  0x1u
#define COMMAND_MEMORY 0x2u

/* Capabilities: "Capabilities List", "MSI and MSI-X". */
#define STATUS_CAPABILITIES 0x100000u
#define CAPABILITIES        0x34
#define CAPABILITY_MSI      0x05
#define CAPABILITY_MSIX     0x11
#define CAPABILITY_MOST     48 /* more would be a loop */
#define MSI_ENABLE          0x10000u
#define MSI_64              0x800000u
#define MSI_MULTIPLE        0x700000u
#define MSIX_ENABLE         0x80000000u
#define MSIX_MASK_ALL       0x40000000u
#define MSIX_BAR            0x7u
#define MSIX_ENTRY          16

static uint32_t lock; /* address and data belong together (R20) */

static uint32_t read(uint32_t function, uint32_t reg)
{
    lock_take(&lock);
    outl(CONFIG_ADDRESS, CONFIG_ENABLE | function << 8 | reg);
    uint32_t value = inl(CONFIG_DATA);
    lock_release(&lock);
    return value;
}

static void write(uint32_t function, uint32_t reg, uint32_t value)
{
    lock_take(&lock);
    outl(CONFIG_ADDRESS, CONFIG_ENABLE | function << 8 | reg);
    outl(CONFIG_DATA, value);
    lock_release(&lock);
}

static bool is_there(uint32_t function)
{
    return (read(function, ID) & NO_VENDOR) != NO_VENDOR;
}

bool pci_stop_master(uint32_t function)
{
    uint32_t command = read(function, COMMAND) & 0xffff;

    if (!(command & COMMAND_MASTER) || read(function, HEADER) & HEADER_TYPE ||
        read(function, CLASS) >> 24 == CLASS_BRIDGE)
        return false;
    write(function, COMMAND, command & ~COMMAND_MASTER);
    return true;
}

/* The function to look at behind this one: behind a device's first, which is there alone or not at
 * all, the next device's. */
static uint32_t next(uint32_t function)
{
    bool several =
        function % FUNCTIONS != 0 || (is_there(function) && read(function, HEADER) & HEADER_MULTI);

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
        if (is_there(f) && read(f, CLASS) >> 8 == class && index-- == 0)
            return f;
    return PCI_NONE;
}

uint32_t pci_id(uint32_t function)
{
    return read(function, ID);
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

    if (low & BAR_PORTS)
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
    uint32_t command = read(function, COMMAND) & 0xffff;

    write(function, COMMAND, command & ~(COMMAND_PORTS | COMMAND_MEMORY));
    for (unsigned n = 0; n < PCI_BARS; n++) {
        bool wide = (read(function, BAR(n)) & (BAR_PORTS | BAR_64)) == BAR_64;
        bars[n] = read_bar(function, n);
        if (wide && n + 1 < PCI_BARS)
            bars[++n] = (struct pci_bar){.size = 0};
    }
    write(function, COMMAND, command);
}

void pci_enable(uint32_t function)
{
    uint32_t command = read(function, COMMAND) & 0xffff;

    write(function, COMMAND, command | COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER);
}

/* The place of a capability, or 0. */
static uint32_t capability(uint32_t function, uint8_t id)
{
    uint32_t at = CAPABILITIES, header;

    if (!(read(function, COMMAND) & STATUS_CAPABILITIES))
        return 0;
    at = read(function, at) & 0xfc;
    for (unsigned i = 0; i < CAPABILITY_MOST && at != 0; i++) {
        header = read(function, at);
        if ((header & 0xff) == id)
            return at;
        at = header >> 8 & 0xfc;
    }
    return 0;
}

static void set_msi(uint32_t function, uint32_t at, uint32_t address, uint32_t data)
{
    uint32_t header = read(function, at);

    write(function, at + 4, address);
    if (header & MSI_64) {
        write(function, at + 8, 0);
        write(function, at + 12, data);
    } else {
        write(function, at + 8, data);
    }
    write(function, at, (header & ~MSI_MULTIPLE) | MSI_ENABLE);
}

/* Before its memory is decoded elsewhere: it must be on already. */
static bool set_msix(uint32_t function, uint32_t at, uint32_t address, uint32_t data,
                     volatile uint32_t *(*map)(uint64_t phys, uint64_t size))
{
    uint32_t table = read(function, at + 4);
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
    write(function, at, (read(function, at) & ~MSIX_MASK_ALL) | MSIX_ENABLE);
    return true;
}

bool pci_interrupt(uint32_t function, uint32_t address, uint32_t data,
                   volatile uint32_t *(*map)(uint64_t phys, uint64_t size))
{
    uint32_t msi = capability(function, CAPABILITY_MSI),
             msix = capability(function, CAPABILITY_MSIX);

    if (msix != 0 && set_msix(function, msix, address, data, map))
        return true;
    if (msi != 0)
        set_msi(function, msi, address, data);
    return msi != 0;
}
