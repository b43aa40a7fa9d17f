/* SPDX-License-Identifier: BSD-2-Clause */
/* A console's output as plain text, for files and pipes. */
#pragma once

#include <stddef.h>

enum plain_state { PLAIN_TEXT, PLAIN_ESCAPE, PLAIN_SEQUENCE };

struct plain {
    enum plain_state state;
};

/*
 * Copies `length` bytes to `out`, which has room for as many, without carriage returns and without
 * terminal control sequences (ECMA-48: ESC [ ... final byte; ESC and one byte). Returns how many
 * were copied.
 */
size_t plain_text(struct plain *plain, const char *bytes, size_t length, char *out);
