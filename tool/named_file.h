/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that a description names, and their rows in the plan. */
#ifndef TOOL_NAMED_FILE_H
#define TOOL_NAMED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool/loading.h"

struct mapped {
    uint8_t *data;
    size_t size;
};

/* The path of a file that the description names, relative to the description's own folder; the
 * caller frees it. */
char *beside_description(const struct loading *loading, const char *name);

/* Maps the regular file that the value at `where` names; an empty one is of no use. False after a
 * message, which ends in the remedy. */
bool map_named(struct loading *loading, const char *where, const char *path, const char *remedy,
               struct mapped *mapped);

void unmap(struct mapped *mapped);

/* The plan's index of a file; takes `path`. A file that two use is loaded once. */
uint32_t add_file(struct machine *machine, char *path, const struct mapped *mapped);

#endif
