/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors, notes and the progress line: see report.h. */
#include "tool/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool progress_shown;

void progress_end(void)
{
    if (progress_shown) {
        fputs("\r\033[K", stderr);
        progress_shown = false;
    }
    fflush(stderr);
}

void progress(const char *format, ...)
{
    bool terminal = isatty(STDERR_FILENO);
    va_list arguments;

    progress_end();
    fputs("lintel: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    if (!terminal)
        fputc('\n', stderr);
    progress_shown = terminal;
    fflush(stderr);
}

static void say(const char *format, va_list arguments)
{
    progress_end();
    fputs("lintel: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int fail(enum exit_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return code;
}

void note(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

char *text(const char *format, ...)
{
    char *result;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&result, format, arguments) < 0) {
        fputs("lintel: out of memory\n", stderr);
        exit(LINTEL_MACHINE);
    }
    va_end(arguments);
    return result;
}
