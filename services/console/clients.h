/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMs that share the line. One at a time has the input; Ctrl-] n gives it to the next, and
 * Ctrl-] d has all VMs report where their guests are. Of the output, console=focus shows that VM's,
 * and keeps the end of what the others write until it is their turn; console=lines shows all VMs',
 * line by line, with their names in front. No VM takes another one's share of the line, and each is
 * looked at once in a while only, whatever it does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/process.h"

#define CLIENTS_NEVER UINT64_MAX

/* The first VM has the line. `pages` is where channel 0 begins; `pause`, in ticks of the TSC, is
 * how often VMs are looked at, at most. */
void clients_init(const struct process_info *info, void *pages, bool lines, uint64_t pause);

/* Takes what VMs have written, as far as there is room and it is their time. `events` is the word
 * of EVENT_*: who has notified. */
void clients_take(uint64_t events, uint64_t now);

/* Does what those have asked for who watch VMs. */
void clients_watch(void);

/* When VMs may be looked at again: all of them at the same times. */
uint64_t clients_next(uint64_t now);

/* Whether somebody may lack the time that is spent here: several VMs that have not ended, with or
 * without a share of the line; or processes, where there are no VMs. */
bool clients_compete(void);

/* When clients_take is to be called again although nobody notifies. */
uint64_t clients_due(void);

/* One byte of input. */
void clients_input(char c);

/* Gives VMs what came for them, and tells them of the room that there is: behind all of the others.
 */
void clients_flush(void);

/* A line about a VM, by its index in the plan, comes behind what it has written... */
void clients_before_line(uint32_t vm);

/* ...and if it is its last one, behind all of that. Then the next VM gets the line. */
void clients_before_end(uint32_t vm);
void clients_ended(uint32_t vm);
