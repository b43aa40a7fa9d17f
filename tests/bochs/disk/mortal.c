/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that dies: the ordinary one, whose device file has its functions under the names
 * living_…, with these between it and the server. Each of its first starts ends at another place,
 * after some commands; a disk without interrupts has fewer of them.
 */
#include "drivers/disk.h"

#define COMMANDS 25u

bool living_submit(unsigned tag, const struct disk_command *command);
void living_interrupt(void);

static unsigned commands;

/* Where: a start's number, from 1. */
enum place { BEFORE_COMMAND = 1, BEHIND_COMMAND, BEFORE_INTERRUPT, BEHIND_INTERRUPT };

static void die_at(enum place place)
{
    const struct process_info *info = (const struct process_info *)PROCESS_INFO;

    if (info->starts == (uint32_t)place && commands > COMMANDS * info->starts)
        __builtin_trap();
}

bool disk_submit(unsigned tag, const struct disk_command *command)
{
    bool taken;

    commands++;
    die_at(BEFORE_COMMAND);
    taken = living_submit(tag, command);
    die_at(BEHIND_COMMAND);
    return taken;
}

void disk_interrupt(void)
{
    die_at(BEFORE_INTERRUPT);
    living_interrupt();
    die_at(BEHIND_INTERRUPT);
}
