/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI local bus specification, "Configuration Space", by the configuration mechanism at the ports
 * CF8h and CFCh. */
#include "hypervisor/cpu/pci.h"

#include <stdbool.h>

#include "hypervisor/cpu/instructions.h"

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

static uint32_t read(uint32_t function, uint32_t reg)
{
    outl(CONFIG_ADDRESS, CONFIG_ENABLE | function << 8 | reg);
    return inl(CONFIG_DATA);
}

static bool is_there(uint32_t function)
{
    return (read(function, ID) & NO_VENDOR) != NO_VENDOR;
}

/* Whether there was something to stop. */
static bool stop(uint32_t function)
{
    uint32_t command = read(function, COMMAND) & 0xffff;

    if (!(command & COMMAND_MASTER) || read(function, HEADER) & HEADER_TYPE ||
        read(function, CLASS) >> 24 == CLASS_BRIDGE)
        return false;
    outl(CONFIG_ADDRESS, CONFIG_ENABLE | function << 8 | COMMAND);
    outl(CONFIG_DATA, command & ~COMMAND_MASTER);
    return true;
}

uint32_t pci_stop_masters(void)
{
    uint32_t stopped = 0, functions;

    for (uint32_t first = 0; first < SLOTS * FUNCTIONS; first += FUNCTIONS) {
        if (!is_there(first))
            continue;
        functions = read(first, HEADER) & HEADER_MULTI ? FUNCTIONS : 1;
        for (uint32_t i = first; i < first + functions; i++)
            stopped += is_there(i) && stop(i);
    }
    return stopped;
}
