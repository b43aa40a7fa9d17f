/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI host bridge at 00:00.0, by which an operating system's probe knows that there is a bus:
 * a configuration header and no registers. R20.
 */
#pragma once

#include "monitor/pci.h"

void host_bridge_init(struct pci_function *function);
