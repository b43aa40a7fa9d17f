/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/console/output.h"

#include <stdarg.h>

#include "lib/bits.h"
#include "lib/format.h"
#include "services/console/port.h"

void output_text(const char *text, size_t length)
{
    port_write(text, length);
}

/* Not behind somebody's half line. */
void output_line(const char *text, size_t length)
{
    static const char prefix[] = "\r\nlintel: ";
    size_t skip = port_last() == '\n' ? 2 : 0;

    output_text(prefix + skip, sizeof(prefix) - 1 - skip);
    output_text(text, min_u64(length, LOG_LINE_MAX));
    output_text("\r\n", 2);
}

void output_format(const char *fmt, ...)
{
    char text[LOG_LINE_MAX];
    va_list args;

    va_start(args, fmt);
    int length = vformat(text, sizeof(text), fmt, args);
    va_end(args);
    output_line(text, min_u64((uint64_t)length, sizeof(text) - 1));
}
