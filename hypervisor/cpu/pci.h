/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's PCI devices, which Lintel does not use. */
#ifndef CPU_PCI_H
#define CPU_PCI_H

#include <stdint.h>

/*
 * Takes bus mastering from each endpoint that has it; returns how many had. Bridges keep it, for
 * what is behind them and for what the chipset does itself. Only the first segment group is seen.
 */
uint32_t pci_stop_masters(void);

#endif
