/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/log.h"

#include "hypervisor/report/serial.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

/* Of the port's queue: all that VMs have kept back when they stop, each once, and some lines. */
#define RESERVE 0xb000u

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

size_t log_room(void)
{
    size_t room = serial_room();

    return room > RESERVE ? room - RESERVE : 0;
}

void log_line(const char *fmt, ...)
{
    char line[LOG_LINE_SIZE];
    int length = format(line, sizeof(line), "%slintel: ", last == '\n' ? "" : "\r\n");
    va_list args;

    va_start(args, fmt);
    length += vformat(line + length, sizeof(line) - (size_t)length - 2, fmt, args);
    va_end(args);
    size_t end = min_u64((uint64_t)length, sizeof(line) - 3);
    memcpy(line + end, "\r\n", 2);
    log_text(line, end + 2);
}
