/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard controller, after the IBM PS/2 technical reference, "Keyboard and Auxiliary Device
 * Controller". */
#include "monitor/i8042.h"

#define STATUS_OUTPUT_FULL 0x01 /* "input full" never is: a byte is taken at once */
#define STATUS_SYSTEM      0x04
#define STATUS_UNLOCKED    0x10

enum command {
    READ_CONFIGURATION = 0x20,
    WRITE_CONFIGURATION = 0x60,
    SELF_TEST = 0xaa,
    KEYBOARD_TEST = 0xab,
    KEYBOARD_DISABLE = 0xad,
    KEYBOARD_ENABLE = 0xae,
    READ_OUTPUT_PORT = 0xd0,
    WRITE_OUTPUT_PORT = 0xd1,
    PULSE = 0xf0, /* and above: those output lines whose bit of the lower four is 0 */
};

#define SELF_TEST_GOOD     0x55
#define KEYBOARD_TEST_GOOD 0x00

#define CONFIGURATION_SYSTEM   0x04
#define CONFIGURATION_DISABLED 0x10

#define OUTPUT_NOT_RESET 0x01
#define OUTPUT_A20       0x02
#define OUTPUT_INITIAL   0xcf

#define PORT_A_RESET 0x01
#define PORT_A_A20   0x02

void i8042_reset(struct i8042 *k)
{
    *k = (struct i8042){.configuration = CONFIGURATION_SYSTEM | CONFIGURATION_DISABLED,
                        .output_port = OUTPUT_INITIAL};
}

static void reply(struct i8042 *k, uint8_t value)
{
    k->reply = value;
    k->full = true;
}

static uint8_t read_data(struct i8042 *k)
{
    k->full = false;
    return k->reply;
}

uint8_t i8042_read(struct i8042 *k, uint16_t port)
{
    switch (port) {
    case I8042_DATA_PORT:
        return read_data(k);
    case I8042_COMMAND_PORT:
        return STATUS_SYSTEM | STATUS_UNLOCKED | (k->full ? STATUS_OUTPUT_FULL : 0);
    default:
        return k->output_port & OUTPUT_A20 ? PORT_A_A20 : 0;
    }
}

static void write_command(struct i8042 *k, uint8_t command)
{
    k->command = 0;
    switch (command) {
    case READ_CONFIGURATION:
        reply(k, k->configuration);
        break;
    case SELF_TEST:
        reply(k, SELF_TEST_GOOD);
        break;
    case KEYBOARD_TEST:
        reply(k, KEYBOARD_TEST_GOOD);
        break;
    case READ_OUTPUT_PORT:
        reply(k, k->output_port);
        break;
    case KEYBOARD_DISABLE:
        k->configuration |= CONFIGURATION_DISABLED;
        break;
    case KEYBOARD_ENABLE:
        k->configuration &= (uint8_t)~CONFIGURATION_DISABLED;
        break;
    case WRITE_CONFIGURATION:
    case WRITE_OUTPUT_PORT:
        k->command = command;
        break;
    default:
        k->reset |= command >= PULSE && !(command & OUTPUT_NOT_RESET);
        break;
    }
}

static void write_data(struct i8042 *k, uint8_t value)
{
    if (k->command == WRITE_CONFIGURATION)
        k->configuration = value;
    if (k->command == WRITE_OUTPUT_PORT) {
        k->output_port = value;
        k->reset |= !(value & OUTPUT_NOT_RESET);
    }
    k->command = 0; /* other data is for a keyboard that is not there */
}

static void write_port_a(struct i8042 *k, uint8_t value)
{
    k->output_port &= (uint8_t)~OUTPUT_A20;
    if (value & PORT_A_A20)
        k->output_port |= OUTPUT_A20;
    k->reset |= value & PORT_A_RESET;
}

void i8042_write(struct i8042 *k, uint16_t port, uint8_t value)
{
    switch (port) {
    case I8042_DATA_PORT:
        write_data(k, value);
        break;
    case I8042_COMMAND_PORT:
        write_command(k, value);
        break;
    default:
        write_port_a(k, value);
        break;
    }
}
