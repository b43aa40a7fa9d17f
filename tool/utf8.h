/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8, which names of files and what a guest says need not be. */
#pragma once

#include <stddef.h>

/* How many bytes the well-formed character has that is next (RFC 3629, section 4), the NUL at the
 * end included; 0: it is none. */
size_t utf8_character(const char *string);
