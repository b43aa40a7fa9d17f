/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/log.h"

#include "hypervisor/lib/format.h"
#include "hypervisor/lib/string.h"
#include "hypervisor/report/serial.h"

#define LINE_SIZE 256

void log_text(const char *text)
{
    size_t length = strlen(text);

    if (serial_room() < length)
        serial_flush();
    serial_write(text, length);
}

void log_line(const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list args;

    va_start(args, fmt);
    vformat(line, sizeof(line), fmt, args);
    va_end(args);
    log_text("lintel: ");
    log_text(line);
    log_text("\r\n");
}
