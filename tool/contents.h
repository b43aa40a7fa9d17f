/* SPDX-License-Identifier: BSD-2-Clause */
/* What a partition holds when it is made: the image of a file system, or a Debian. */
#pragma once

#include "tool/loading.h"

/* Checks the key `contents` of a VM's disk. Returns what it says, for machine_partition; NULL:
 * nothing, or a message was printed. */
char *contents_load(struct loading *loading, unsigned vm);

/* Says so if the contents have no room in so many bytes, or what makes them is missing. */
void contents_look(struct loading *loading, const char *where, const char *contents, uint64_t size);

/* Puts them into the partition of the disk's file that begins at this byte. On another code than
 * LINTEL_OK the message has been printed. `folder` is for files in between, and what belongs to a
 * name is named as the VM. */
enum exit_code contents_write(const struct machine_partition *partition, const char *vm,
                              const char *disk, uint64_t start, const char *folder);
