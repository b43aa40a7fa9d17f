/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that the host's disks are on an emulated machine. They stay; nothing but a guest writes
 * to one that is there. */
#pragma once

#include <stdbool.h>

#include "tool/loading.h"

/* Opens and locks those that are there, and says of each what is wrong: that it cannot be used, or
 * not by these VMs, or not be made. */
void disk_files_look(struct loading *loading);

/* Gives all of a disk's partitions that have no size an equal share of what is left, in whole MiB.
 * False when they do not fit; *least is then the size, in bytes, that the disk would need. */
bool disk_file_share(struct machine *machine, unsigned disk, uint64_t *least);

/* Makes those that are missing, with their partitions, and locks them. On another code than
 * LINTEL_OK the message has been printed, and nothing is left that is not whole. `folder` is for
 * files in between. */
enum exit_code disk_files_make(struct machine *machine, const char *folder);

/* Locks a disk's file, for reading with others or for writing alone, as long as it is open, here or
 * in an emulator that was started. QEMU takes such locks itself. False: another one has it. */
bool disk_file_lock(int file, bool only_read);

/* Whether no VM writes to the disk. */
bool disk_is_only_read(const struct machine *machine, unsigned disk);
