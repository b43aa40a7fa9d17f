/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a VM exit happened: the basic exit reasons and their names. */
#pragma once

#include <stdint.h>

enum exit_reason {
#define REASON(id, number, name) EXIT_REASON_##id = (number),
#include "abi/reasons.def"
#undef REASON
};

/* One more than the highest basic exit reason: the size of a table indexed by reason. */
#define EXIT_REASON_COUNT (EXIT_REASON_WRMSR_IMMEDIATE + 1)

/* The exit-reason field: SDM volume 3, "Basic VM-Exit Information". */
#define EXIT_REASON_BASIC        0x0000ffffU
#define EXIT_REASON_ENTRY_FAILED 0x80000000U /* R9 */

/* The name of a basic exit reason, or "unknown exit reason"; takes the whole field. */
const char *exit_reason_name(uint32_t reason);
