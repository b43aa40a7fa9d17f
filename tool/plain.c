/* SPDX-License-Identifier: BSD-2-Clause */
/* A console's output as plain text: see plain.h. */
#include "tool/plain.h"

#define ESCAPE '\x1b'

size_t plain_text(struct plain *plain, const char *bytes, size_t length, char *out)
{
    size_t done = 0;

    for (size_t i = 0; i < length; i++) {
        switch (plain->state) {
        case PLAIN_TEXT:
            if (bytes[i] == ESCAPE)
                plain->state = PLAIN_ESCAPE;
            else if (bytes[i] != '\r')
                out[done++] = bytes[i];
            break;
        case PLAIN_ESCAPE:
            plain->state = bytes[i] == '[' ? PLAIN_SEQUENCE : PLAIN_TEXT;
            break;
        case PLAIN_SEQUENCE:
            if (bytes[i] >= '@' && bytes[i] <= '~')
                plain->state = PLAIN_TEXT;
            break;
        }
    }
    return done;
}
