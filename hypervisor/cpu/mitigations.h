/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done of lib/mitigations.def. */
#pragma once

#include "lib/mitigations.h"

/* From now on what the CPU needs is done, but for what is `off`; the log says what, and what is
 * missing. */
void mitigations_init(const struct mitigation_facts *facts, const uint32_t off[MITIGATION_COUNT]);

/* What is done once, on each CPU. */
void mitigations_take_up(void);

bool mitigation_is_on(enum mitigation id);
