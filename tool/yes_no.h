/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that are yes or no. */
#pragma once

#include <stdbool.h>

#include "tool/loading.h"

/* What a word says, also as YAML writes it, "true" and "false"; `otherwise` where there is none
 * (NULL), or after a message at the place `where`. */
bool yes_no(struct loading *loading, const char *where, const char *word, bool otherwise);
