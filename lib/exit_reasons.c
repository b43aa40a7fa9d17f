/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for basic exit reasons. */
#include "lib/exit_reasons.h"

#include <stddef.h>

const char *exit_reason_name(uint32_t reason)
{
    static const char *const names[EXIT_REASON_COUNT] = {
#define REASON(id, number, name) [number] = name,
#include "abi/reasons.def"
#undef REASON
    };
    const uint32_t basic = reason & EXIT_REASON_BASIC;
    const char *name = basic < EXIT_REASON_COUNT ? names[basic] : NULL;

    return name ? name : "unknown exit reason";
}
