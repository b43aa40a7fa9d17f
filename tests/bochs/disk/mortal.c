/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk's driver that dies: tests/mortal.h. */
#include "tests/mortal.h"
#include "drivers/disk.h"
#include "runtime/channel.h"
#include "runtime/gate.h"

MORTAL(int64_t, gate_wait, (void))
MORTAL(int64_t, gate_notify, (unsigned channel), channel)
MORTAL_VOID(gate_interrupts_done, (uint64_t interrupts), interrupts)
MORTAL(int64_t, gate_timer, (uint64_t tsc), tsc)
MORTAL(bool, channel_get, (struct channel_end * c, void *entry), c, entry)
MORTAL(bool, channel_put, (struct channel_end * c, const void *entry), c, entry)
MORTAL(enum disk_submitted, disk_submit, (unsigned tag, const struct disk_command *command), tag,
       command)
MORTAL_VOID(disk_interrupt, (void))
MORTAL_VOID(disk_done, (unsigned tag, bool good), tag, good)
