/* SPDX-License-Identifier: BSD-2-Clause */
/* What the VMs run on: the description's `host`, without its disks. */
#pragma once

#include "tool/loading.h"

/* Checks the keys, and fills in the machine's. */
void host_load(struct loading *loading);
