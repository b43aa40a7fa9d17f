/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/utf8.h"

size_t utf8_character(const char *string)
{
    const unsigned char *s = (const unsigned char *)string;
    static const struct {
        unsigned char first, last; /* of the first byte, */
        unsigned char low, high;   /* and then of the second one */
        size_t length;
    } rows[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (s[0] < rows[i].first || s[0] > rows[i].last)
            continue;
        size_t n = 1;
        while (n < rows[i].length && s[n] >= (n == 1 ? rows[i].low : 0x80) &&
               s[n] <= (n == 1 ? rows[i].high : 0xbf))
            n++;
        return n == rows[i].length ? n : 0;
    }
    return 0;
}
