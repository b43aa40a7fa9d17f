/* SPDX-License-Identifier: BSD-2-Clause */
/* The disks of the host and of the VMs: what drivers the plan has for them, and which channels. */
#pragma once

#include "tool/loading.h"

/* What the names of partitions that Lintel writes begin with, and the description leaves out. */
#define DISK_LABEL_PREFIX "lintel-"

/* Checks the keys of all disks, and adds to the plan a process for each disk and a channel for each
 * VM that has one. After the VMs, whose names and files are in the plan then. */
void disks_load(struct loading *loading);

/* As the description names it. */
const char *disk_driver_name(enum disk_driver driver);
