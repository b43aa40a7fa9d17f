/* SPDX-License-Identifier: BSD-2-Clause */
/* The Test Anything Protocol over the first UART, polled. */
#include "guests/lib/tap.h"

#include <stdarg.h>

#include "guests/lib/machine.h"
#include "lib/format.h"

#define LINE_SIZE 256

static unsigned tests;

static void print_line(const char *prefix, const char *fmt, va_list args)
{
    char line[LINE_SIZE];

    vformat(line, sizeof(line), fmt, args);
    serial_write(prefix);
    serial_write(line);
}

#define PRINT_LINE(prefix, fmt)                                                                    \
    do {                                                                                           \
        va_list args;                                                                              \
        va_start(args, fmt);                                                                       \
        print_line(prefix, fmt, args);                                                             \
        va_end(args);                                                                              \
    } while (0)

static void print_result(bool passed, const char *fmt, va_list args)
{
    char prefix[32];

    format(prefix, sizeof(prefix), "%sok %u - ", passed ? "" : "not ", ++tests);
    print_line(prefix, fmt, args);
}

bool ok(bool passed, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print_result(passed, fmt, args);
    va_end(args);
    serial_write("\n");
    return passed;
}

bool is(uint64_t got, uint64_t expected, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print_result(got == expected, fmt, args);
    va_end(args);
    serial_write("\n");
    if (got != expected)
        diag("got 0x%lx, expected 0x%lx", got, expected);
    return got == expected;
}

void skip(const char *reason, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print_result(true, fmt, args);
    va_end(args);
    print(" # SKIP %s\n", reason);
}

void diag(const char *fmt, ...)
{
    PRINT_LINE("# ", fmt);
    serial_write("\n");
}

void print(const char *fmt, ...)
{
    PRINT_LINE("", fmt);
}

void bail_out(const char *fmt, ...)
{
    PRINT_LINE("Bail out! ", fmt);
    serial_write("\n");
    power_off();
}

void tap_end(void)
{
    print("1..%u\n", tests);
}
