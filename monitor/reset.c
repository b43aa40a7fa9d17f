/* SPDX-License-Identifier: BSD-2-Clause */
/* The reset ports. */
#include "monitor/reset.h"

#define CONTROL_BITS  0x0e
#define CONTROL_RESET 0x04 /* a change from 0 to 1 resets */

#define COMMAND_PULSE   0xf0 /* pulses those output lines whose bit of the lower four is 0 */
#define PULSE_NOT_RESET 0x01

/*
 * All ones, as where there is no controller: a driver that finds data without an end gives up after
 * a few reads. Only "input buffer full" is 0: software that resets the machine waits for that
 * before it sends the command.
 */
#define STATUS 0xfd

uint8_t reset_read(const struct reset *r, uint16_t port)
{
    switch (port) {
    case RESET_CONTROL_PORT:
        return r->control;
    case KEYBOARD_COMMAND_PORT:
        return STATUS;
    default:
        return UINT8_MAX;
    }
}

void reset_write(struct reset *r, uint16_t port, uint8_t value)
{
    switch (port) {
    case RESET_CONTROL_PORT:
        r->requested |= (value & ~r->control & CONTROL_RESET) != 0;
        r->control = value & CONTROL_BITS;
        break;
    case KEYBOARD_COMMAND_PORT:
        r->requested |= value >= COMMAND_PULSE && !(value & PULSE_NOT_RESET);
        break;
    default: /* data for a keyboard that is not there */
        break;
    }
}
