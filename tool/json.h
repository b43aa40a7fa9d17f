/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON, for other programs. */
#ifndef TOOL_JSON_H
#define TOOL_JSON_H

#include <stdio.h>

/* A string's value, with its quotes. */
void json_string(FILE *to, const char *string);

#endif
