/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI bus: the host's configuration mechanism 1, an address port and a data port, and what the
 * bridge passes on to the functions' base address registers (BARs). What is on the bus is a table
 * of functions; where there is none, reads give all ones and writes are dropped.
 *
 * A function is 256 bytes of configuration space and which bits of them a guest may write: the
 * header's rules follow from that. A guest may move a BAR anywhere within the bridge's windows,
 * which the ACPI tables tell it (acpi/dsdt.asl).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/plan.h"
#include "lib/pci.h"

/* The bridge's windows. */
#define PCI_IO          0xc000u
#define PCI_IO_SIZE     0x1000u
#define PCI_MEMORY      0xe0000000ULL
#define PCI_MEMORY_SIZE 0x10000000ULL

#define PCI_CONFIG_SIZE 256u
#define PCI_BARS        2u /* of a function, 32 bits each */
#define PCI_FUNCTIONS   16u

/* What a function does beyond holding its configuration space. Offsets are into the space or the
 * BAR; sizes are 1, 2 or 4 bytes, and naturally aligned. */
struct pci_operations {
    void (*reads)(void *device, unsigned offset);   /* a guest is about to read its configuration */
    void (*written)(void *device, unsigned offset); /* a guest has written to it */
    uint32_t (*load)(void *device, unsigned bar, uint32_t offset, unsigned size);
    void (*store)(void *device, unsigned bar, uint32_t offset, unsigned size, uint32_t value);
};

struct pci_function {
    uint8_t config[PCI_CONFIG_SIZE], writable[PCI_CONFIG_SIZE];
    void *device;
    const struct pci_operations *operations; /* NULL: it does nothing */
};

/* What a BAR answers. */
struct pci_range {
    uint32_t first, size;
    struct pci_function *function;
    uint8_t bar;
    bool io;
};

struct pci {
    struct pci_function *functions[PCI_FUNCTIONS]; /* by device number; all on bus 0 */
    unsigned count;
    struct pci_range ranges[PCI_FUNCTIONS * PCI_BARS]; /* as the BARs and commands are now */
    unsigned range_count;
    uint32_t next_io, next_memory;    /* where the next BAR is put */
    uint32_t address[PLAN_MAX_VCPUS]; /* R20: the index is state of the vCPU that wrote it */
};

/* An empty bus. */
void pci_reset(struct pci *pci);

/* Puts a function onto the bus as firmware leaves it: its BARs have addresses, which it answers.
 * False: there is no place. The function belongs to the bus until pci_reset. */
bool pci_add(struct pci *pci, struct pci_function *function);

/* For who builds a function: its header's values, and a BAR of a power of two of bytes. */
void pci_set(struct pci_function *function, unsigned offset, unsigned size, uint32_t value);
uint32_t pci_get(const struct pci_function *function, unsigned offset, unsigned size);
void pci_set_writable(struct pci_function *function, unsigned offset, unsigned size, uint32_t bits);
void pci_set_bar(struct pci_function *function, unsigned bar, bool io, uint32_t size);

/* Where an I/O BAR is, if it answers there; otherwise 0. */
uint16_t pci_io_bar(const struct pci_function *function, unsigned bar);

/* Whether the guest lets it write to memory. */
bool pci_is_master(const struct pci_function *function);

uint32_t pci_read_address(const struct pci *pci, unsigned vcpu);
void pci_write_address(struct pci *pci, unsigned vcpu, uint32_t value);

/* `port` is one of the four data ports; the access does not go beyond the last of them. */
uint32_t pci_read_data(const struct pci *pci, unsigned vcpu, uint16_t port, unsigned size);
void pci_write_data(struct pci *pci, unsigned vcpu, uint16_t port, unsigned size, uint32_t value);

/* Ports and addresses in the bridge's windows; any size up to 8 bytes, aligned or not. */
uint64_t pci_load(const struct pci *pci, bool io, uint32_t address, unsigned size);
void pci_store(const struct pci *pci, bool io, uint32_t address, unsigned size, uint64_t value);
