/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI's names: the ports of configuration mechanism 1, the header of a function's configuration
 * space, and MSI-X (PCI Local Bus Specification, "Configuration Mechanism #1", "Configuration Space
 * Organization", "MSI-X Capability and Table Structures"). */
#pragma once

#define PCI_ADDRESS_PORT   0xcf8
#define PCI_DATA_PORT      0xcfc
#define PCI_ADDRESS_ENABLE 0x80000000u

#define PCI_ID           0x00 /* vendor, device */
#define PCI_COMMAND      0x04
#define PCI_STATUS       0x06
#define PCI_CLASS        0x08 /* revision, interface, subclass, base class */
#define PCI_HEADER       0x0c /* its type in the third byte */
#define PCI_BAR          0x10
#define PCI_SUBSYSTEM    0x2c
#define PCI_CAPABILITIES 0x34
#define PCI_LINE         0x3c

#define PCI_COMMAND_IO          0x1u
#define PCI_COMMAND_MEMORY      0x2u
#define PCI_COMMAND_MASTER      0x4u
#define PCI_STATUS_CAPABILITIES 0x10u /* there is a list of them */
#define PCI_BAR_IO              0x1u

#define PCI_CAPABILITY_MSIX 0x11u

/* Of MSI-X's capability: its control, behind its head, and where the table is. */
#define PCI_MSIX_CONTROL  2u
#define PCI_MSIX_TABLE    4u
#define PCI_MSIX_PENDING  8u
#define PCI_MSIX_ENABLE   0x8000u
#define PCI_MSIX_MASK_ALL 0x4000u
