/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/log.h"

#include "hypervisor/lib/bits.h"
#include "hypervisor/lib/format.h"
#include "hypervisor/lib/string.h"
#include "hypervisor/report/serial.h"

#define LINE_SIZE 256

/* The last byte of output; a line of ours does not go behind somebody's half line. */
static char last = '\n';

void log_text(const char *text, size_t length)
{
    if (length == 0)
        return;
    if (serial_room() < length)
        serial_flush();
    serial_write(text, length);
    last = text[length - 1];
}

static void log_arguments(const char *fmt, va_list args)
{
    char line[LINE_SIZE];
    int length = format(line, sizeof(line), "%slintel: ", last == '\n' ? "" : "\r\n");

    length += vformat(line + length, sizeof(line) - (size_t)length - 2, fmt, args);
    size_t end = min_u64((uint64_t)length, sizeof(line) - 3);
    memcpy(line + end, "\r\n", 2);
    log_text(line, end + 2);
}

void log_line(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_arguments(fmt, args);
    va_end(args);
}

void log_from_monitor(const char *fmt, ...)
{
    va_list args;

    if (serial_room() < LINE_SIZE)
        return;
    va_start(args, fmt);
    log_arguments(fmt, args);
    va_end(args);
}
