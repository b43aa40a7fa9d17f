/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/report/serial.c: what has gone to the line. */
#pragma once

#include <stddef.h>

struct line {
    char sent[0x100000];
    size_t length;
};
extern struct line line;

/* Nothing has been written, and ring 0 prints. */
void line_reset(void);

/* How often a text is in what was written. */
unsigned line_count(const char *text);
