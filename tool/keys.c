/* SPDX-License-Identifier: BSD-2-Clause */
/* The escape key of the console: see keys.h. */
#include "tool/keys.h"

enum keys_command keys_take(struct keys *keys, char byte, char out[static 2], size_t *length)
{
    *length = 0;
    if (!keys->escaped) {
        keys->escaped = byte == KEY_ESCAPE;
        if (!keys->escaped)
            out[(*length)++] = byte;
        return KEYS_NONE;
    }
    keys->escaped = false;
    switch (byte) {
    case 'q':
        return KEYS_QUIT;
    case 'h':
        return KEYS_HELP;
    case 'd':
    case 'n':
    case KEY_ESCAPE:
        out[(*length)++] = KEY_ESCAPE;
        out[(*length)++] = byte;
        return KEYS_NONE;
    default:
        return KEYS_NONE;
    }
}
