/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes to the line: text of VMs, and lines that begin with "lintel: " and end with CR LF. */
#pragma once

#include <stddef.h>

#include "abi/log.h"

/* Text as it is. */
void output_text(const char *text, size_t length);

/* One line, on a line of its own: cut at LOG_LINE_MAX bytes. */
void output_line(const char *text, size_t length);
void output_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
