/* SPDX-License-Identifier: BSD-2-Clause */
/* The channel to the console: an entry is some bytes, either way. What finds no room stays with who
 * has it, and is offered again when the other side has made some. */
#pragma once

#include <stdint.h>

#include "abi/channel.h"

#define CONSOLE_BYTES (CHANNEL_ENTRY_SIZE - 4)

struct console_entry {
    uint16_t length; /* at most CONSOLE_BYTES */
    uint16_t what;   /* enum console_what */
    char bytes[CONSOLE_BYTES];
};

enum console_what {
    CONSOLE_TEXT,
    /* Without bytes. To a client: report where the guest is; from who watches: what is new? */
    CONSOLE_ASK,
};

/* The label of the channel, where the guest has a virtio console. The serial port is there anyway,
 * and has the input where the label is empty. */
#define CONSOLE_VIRTIO "virtio"

/*
 * Who watches a VM's console beside the line is the console's client by a channel whose label is
 * the VM's number in the plan. What it sends as CONSOLE_TEXT is typed for the VM; at CONSOLE_ASK it
 * gets what that has written since it has asked last, as far as there is room and the console has
 * kept it: what came last of it, CONSOLE_KEPT bytes.
 */
#define CONSOLE_KEPT 0x1000u

#define CONSOLE_CHANNEL_SIZE CHANNEL_AREA

_Static_assert(sizeof(struct console_entry) == CHANNEL_ENTRY_SIZE, "it is an entry");
