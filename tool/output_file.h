/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that the user names for what a command has to say to other programs. */
#pragma once

#include <stdio.h>

#include "tool/report.h"

/* Opens it early: what cannot be written is told before the work. No path: *file is NULL. */
enum exit_code output_open(const char *path, FILE **file);

/* Closes it, if there is one. Returns `code`, or that of a failure to write. */
int output_close(FILE *file, const char *path, int code);
