/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM's end of its channel to the console (abi/console.h). What the guest writes while the
 * console is busy is gathered, so that an entry has many bytes, and is put when the console has
 * taken the others. What has been taken from the guest always has its place in the channel: nothing
 * is lost when the VM ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/console.h"
#include "abi/process.h"
#include "runtime/channel.h"

#define CONSOLE_GATHERED (CHANNEL_ENTRIES / 2 * CONSOLE_BYTES)
#define CONSOLE_INPUT    0x1000u /* bytes; a power of two. What has no room is lost */

struct console {
    struct channel_end channel;
    bool open;
    const volatile struct process_channel *is;
    bool silent; /* what the guest writes is dropped; so it is where there is no channel, or nobody
                    at its other end any more */
    bool virtio; /* it is on a virtio device, which has the input; otherwise on the UART */
    bool asked;  /* somebody wants to know where the guest is; who tells him clears it */
    size_t gathered;
    char output[CONSOLE_GATHERED];
    uint32_t head, tail; /* of the input, free-running */
    char input[CONSOLE_INPUT];
};

/* Opens the VM's channel to the console, if it has one. Once. */
void console_open(struct console *c, const struct process_info *info);

/* What is known of the channel is of a time before it: what has been sent and taken since stays so.
 * console_events for it follows. */
void console_restored(struct console *c);

/* Takes as many of the bytes as there is room for; returns how many. When there is room again after
 * fewer, EVENT_CHANNEL comes. */
size_t console_put(struct console *c, const char *bytes, size_t count);

/* Gives up to `max` bytes of input; returns how many. */
size_t console_get(struct console *c, char *bytes, size_t max);

/* Whether there is input. */
static inline bool console_pending(const struct console *c)
{
    return c->head != c->tail;
}

/* The events of the exit page: whether the console has something, or has room. */
bool console_events(struct console *c, uint64_t events);

/* All that was taken is in the channel when this returns: a line of the log, and the VM's end, come
 * behind it. */
void console_flush(struct console *c);
