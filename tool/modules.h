/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel's modules that a guest needs before it has its disk, its networks and its virtio
 * console. */
#pragma once

#include <stdbool.h>

/* Counts what changed in which modules are packed: archives are kept by this name. */
#define MODULES_VERSION "4"

/*
 * Writes them into a cpio archive: those below `folder`, where a kernel's package was unpacked, and
 * what they depend on, uncompressed, as /lib/modules/NN-NAME.ko in the order in which they can be
 * loaded. A module that is not there is a part of the kernel. False when something cannot be read
 * or written.
 */
bool modules_pack(const char *folder, const char *archive);
