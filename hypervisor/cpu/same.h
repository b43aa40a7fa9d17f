/* SPDX-License-Identifier: BSD-2-Clause */
/* R18: what is taken for the same on all CPUs of the machine. */
#pragma once

#include <stddef.h>

/* Remembers what the CPU is that runs this: the first one. */
void same_remember(void);

/* Gives this CPU that one's MTRRs (R7). In what it differs besides, in words; "": in nothing. */
void same_as_first(char *what, size_t size);
