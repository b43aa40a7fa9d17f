/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports by which a PC is reset: the reset control register CF9h, and the keyboard controller's
 * pulse of its output line 0. There is no keyboard behind that controller, and no controller except
 * for this command.
 */
#ifndef MONITOR_RESET_H
#define MONITOR_RESET_H

#include <stdbool.h>
#include <stdint.h>

#define RESET_CONTROL_PORT    0xcf9
#define RESET_CONTROL_VALUE   0x06
#define KEYBOARD_DATA_PORT    0x60
#define KEYBOARD_COMMAND_PORT 0x64

struct reset {
    uint8_t control;
    bool requested;
};

uint8_t reset_read(const struct reset *r, uint16_t port);
void reset_write(struct reset *r, uint16_t port, uint8_t value);

#endif
