/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of VMs, disks and partitions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tool/description.h"

/* What they are made of. */
#define WORD_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* Whether it is a name, of at most so many characters. False after a message. */
bool name_check(struct description_file *file, const char *where, const char *name, size_t most);
