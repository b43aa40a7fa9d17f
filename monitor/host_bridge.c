/* SPDX-License-Identifier: BSD-2-Clause */
/* The PCI host bridge: a header (PCI Local Bus Specification,
 * "Configuration Space Organization"). */
#include "monitor/host_bridge.h"

#include "lib/bits.h"

/* Intel's 440FX, which every operating system knows; of its registers there are none. The rest of
 * the header is 0: type 0, one function, no BAR, no interrupt pin. */
static const uint32_t header[] = {
    0x12378086, /* device and vendor */
    0x00000000, /* status and command */
    0x06000002, /* class: host bridge; revision */
};

static uint32_t read(void *device, unsigned offset, unsigned size)
{
    return offset / 4 < ARRAY_SIZE(header) ? header[offset / 4] >> offset % 4 * 8 : 0;
}

static void write(void *device, unsigned offset, unsigned size, uint32_t value)
{
}

const struct pci_function host_bridge = {.bdf = 0, .read = read, .write = write};
