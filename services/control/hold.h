/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's end, where the plan awaits this process: what VMs that have ended leave in their
 * memory and registers can be asked for until it ends, too. */
#pragma once

#include <stdint.h>

#include "abi/process.h"

#define HOLD_LOOK_MS 1000

void hold_init(const struct process_info *info);

/* Somebody asks for something. */
void hold_asked(void);

/* CONTROL_CALL_RELEASE */
void hold_release(void);

/* Looks, now and then, whether all VMs have ended; ends the process when they have, and nobody
 * wants anything of them. Returns ms until it shall look again; 0: never. */
unsigned hold_look(void);
