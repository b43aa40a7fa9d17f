/* SPDX-License-Identifier: BSD-2-Clause */
/* Forms of MOV, JMP and CALL whose operands are segment registers or far pointers. */
#ifndef MONITOR_SEGMENT_H
#define MONITOR_SEGMENT_H

#include <stdbool.h>

#include "monitor/operand.h"

bool move_segment(struct run *run);

/* JMP, or CALL, to where a far pointer in memory says, without a change of the privilege level. */
bool transfer_far(struct run *run, bool call);

#endif
