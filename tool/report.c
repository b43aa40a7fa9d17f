/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors, notes and the progress line: see report.h. */
#include "tool/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool progress_shown;
static void (*told)(const struct complaint *complaint); /* NULL: nobody */

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

int fail(enum exit_code code, const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    note("%s", message);
    if (told)
        told(&(struct complaint){.message = message});
    return code;
}

void complain(const struct complaint *c)
{
    progress_end();
    fprintf(stderr, "%s:%zu:%zu: %s%s%s\n", c->file, c->line, c->column, c->where,
            c->where[0] ? ": " : "", c->message);
    if (told)
        told(c);
}

void complaints_tell(void (*tell)(const struct complaint *complaint))
{
    told = tell;
}

void note(const char *format, ...)
{
    va_list arguments;

    progress_end();
    fputs("lintel: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
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
