/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard controller 8042, without a keyboard, and port 92h, which drives the same lines: the
 * processor's reset and A20.
 *
 * Its status ends what waits for it, and it answers the commands that software gives a controller
 * before it looks for a keyboard. It raises no interrupt. A20 reads back as it was written, and
 * masks no address.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define I8042_DATA_PORT    0x60
#define I8042_COMMAND_PORT 0x64
#define SYSTEM_PORT_A      0x92

struct i8042 {
    uint8_t configuration;
    uint8_t output_port;
    uint8_t command; /* waits for its byte at the data port; 0: none does */
    uint8_t reply;   /* in the output buffer */
    bool full;       /* the output buffer is */
    bool reset;      /* the processor's line was pulled */
};

void i8042_reset(struct i8042 *k);

/* The three ports. */
uint8_t i8042_read(struct i8042 *k, uint16_t port);
void i8042_write(struct i8042 *k, uint16_t port, uint8_t value);
