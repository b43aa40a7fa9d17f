/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/report/line.h"

#include <string.h>

#include "hypervisor/report/log.h"
#include "hypervisor/report/serial.h"

struct line line;

void line_reset(void)
{
    log_take_back();
    memset(&line, 0, sizeof(line));
}

unsigned line_count(const char *text)
{
    unsigned count = 0;

    for (const char *at = line.sent; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

void serial_put(char c)
{
    if (line.length + 1 < sizeof(line.sent))
        line.sent[line.length++] = c;
}
