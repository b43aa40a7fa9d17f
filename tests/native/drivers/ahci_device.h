/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated AHCI HBA with four ports, written from the specification (1.3.1), which fails the
 * test where its host does what is not allowed. Its registers are in window 1. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the HBA and its disk, on port 2, are; ahci_new() sets ordinary ones. */
extern struct ahci_device {
    uint32_t cap, cap2;
    uint64_t sectors;
    uint16_t word83, word106, word169, serial_number;
    bool no_disk, never_resets, keeps_running, stays_busy, silent;
    /* as QEMU does it up to version 8: a command that fails leaves PxCI, and others go on */
    bool lenient;
    bool racing; /* commands end while the registers are read, too */
} ahci_device;

void ahci_new(void);
/* Port 2 runs already, for somebody else, with a command under way. */
void ahci_predecessor(void);
bool ahci_predecessor_lives(void);
/* Whether the HBA asks for an interrupt. */
bool ahci_interrupts(void);

extern unsigned ahci_errors; /* of commands */
extern unsigned ahci_resets; /* of the HBA */
extern unsigned ahci_prds;   /* of the last command */
