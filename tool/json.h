/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON, for other programs. */
#pragma once

#include <stdio.h>

/* Of all objects that commands write: docs/lintel.schema.json. It goes up when a key goes, or means
 * something else; new ones come without it. */
#define JSON_VERSION 1

/* Begins a command's object, by which command it is, up to and without the next key. */
void json_begin(FILE *to, const char *command);

/* A string's value, with its quotes. What is no UTF-8, as the name of a file need not be, is
 * U+FFFD. */
void json_string(FILE *to, const char *string);
