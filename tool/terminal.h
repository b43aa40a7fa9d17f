/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's terminal, where there is one and it is ours: a job in the background has none. */
#pragma once

#include <stdbool.h>

/* Whether standard input and output are a terminal that has this program in its foreground: what is
 * typed there is for us. */
bool terminal_is_ours(void);

/* Whether standard input may be read: it is no terminal, or one that is ours. */
bool terminal_input_is_ours(void);

/* Each key comes at once and as it is, until terminal_restore, or the program's end. The terminal
 * is ours. */
void terminal_raw(void);

/* The terminal is as before the first terminal_raw. One that is not ours any more is left alone:
 * the shell has put it right. */
void terminal_restore(void);
