/* SPDX-License-Identifier: BSD-2-Clause */
/* The builtin initrd. */
#pragma once

#include "tool/machine.h"

/* Its path, which the caller frees, or that of one in the machine's folder that has this archive of
 * modules behind it; `modules` NULL: none. NULL after a message. */
char *initrd_builtin(struct machine *machine, const char *modules);
