/* SPDX-License-Identifier: BSD-2-Clause */
/* The Test Anything Protocol on standard output. */
#include "guests/linux/tap.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned tests, failures;

bool ok(bool passed, const char *fmt, ...)
{
    va_list args;

    failures += !passed;
    printf("%sok %u - ", passed ? "" : "not ", ++tests);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
    return passed;
}

void skip(const char *reason, const char *what)
{
    printf("ok %u - %s # SKIP %s\n", ++tests, what, reason);
}

int tap_end(void)
{
    printf("1..%u\n", tests);
    return failures > 0;
}
