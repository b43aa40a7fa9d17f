/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that a description names, and their rows in the plan. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool/loading.h"
#include "tool/whole_file.h"

/* The path of a file that the description names, relative to the description's own folder; the
 * caller frees it. */
char *beside_description(const struct loading *loading, const char *name);

/* Reads the regular file that the value at `where` names, or looks how large it is; an empty one is
 * of no use. False after a message, which ends in the remedy; otherwise whole_file_free must follow
 * a read. */
bool read_named(struct loading *loading, const char *where, const char *path, const char *remedy,
                struct whole_file *file);
bool look_named(struct loading *loading, const char *where, const char *path, const char *remedy,
                struct whole_file *file);

/* The plan's index of a file of this size; takes `path`. A file that two use is loaded once. */
uint32_t add_file(struct machine *machine, char *path, size_t size);
