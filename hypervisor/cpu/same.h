/* SPDX-License-Identifier: BSD-2-Clause */
/* R18: what is taken for the same on all CPUs of the machine. */
#ifndef CPU_SAME_H
#define CPU_SAME_H

#include <stddef.h>

/* Remembers what the CPU is that runs this: the first one. */
void same_remember(void);

/* Gives this CPU that one's MTRRs (R7). In what it differs besides, in words; "": in nothing. */
void same_as_first(char *what, size_t size);

#endif
