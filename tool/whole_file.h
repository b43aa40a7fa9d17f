/* SPDX-License-Identifier: BSD-2-Clause */
/* A file's content, in memory of our own: where a file that is mapped becomes shorter, what it has
 * lost is a SIGBUS. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct whole_file {
    uint8_t *data; /* NULL: it is empty, or was only looked at */
    size_t size;
};

/* An errno of our own, which opening a file does not give. */
#define NO_REGULAR_FILE EBADFD

/* Finds the size of a regular file, and reads it. False, with errno set, when that is impossible;
 * otherwise whole_file_free must follow. */
bool whole_file_look(const char *path, struct whole_file *file);
bool whole_file_read(const char *path, struct whole_file *file);

void whole_file_free(struct whole_file *file);
