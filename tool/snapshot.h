/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM is kept as it is, and becomes that again, over a control line. */
#pragma once

#include "tool/control_line.h"

/*
 * CONTROL_CALL_SNAPSHOT or _RESTORE of a VM, all of its pieces. One that runs is paused meanwhile,
 * and goes on; a snapshot of one whose devices are at work is tried again, a hundred times, a
 * moment later. Returns LINTEL_OK, or its code after a message.
 */
enum exit_code snapshot_copy(struct control_line *line, enum control_call call, unsigned vm,
                             const char *name, bool runs);
