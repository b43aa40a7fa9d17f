/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's disks in an emulated machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tool/machine.h"
#include "tool/runner.h"

/* So many words QEMU takes for all disks, at most. */
#define EMULATED_DISK_WORDS (6 * PLAN_MAX_PROCESSES)

/* Whether this emulator has such disks, and all of them a file; otherwise says what to do. */
enum exit_code emulated_disks_check(const struct machine *machine, enum runner runner);

/* In the process that becomes an emulator: gives the disks' files names in its work folder, and
 * their locks to it. False, with errno set, when that fails. */
bool emulated_disks_link(const struct machine *machine, const char *work_folder);

/* The bytes of the largest one; 0: there is none. */
uint64_t emulated_disks_largest(const struct machine *machine);

/* Whether one takes the first place of the first IDE channel, where the CD-ROM is otherwise. */
bool emulated_disks_take_ata(const struct machine *machine);

/* Writes lines of Bochs's configuration. */
void emulated_disks_bochs(const struct machine *machine, FILE *config);

/* Puts words of QEMU's command line into `words`, which must stay. Returns how many. */
size_t emulated_disks_qemu(const struct machine *machine,
                           const char *words[static EMULATED_DISK_WORDS]);
