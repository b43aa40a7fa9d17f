/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for people, formatted into the text page. */
#include "monitor/report.h"

#include <stdarg.h>

#include "abi/process.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "monitor/gate.h"

static struct console *console;

void report_behind(struct console *c)
{
    console = c;
}

/* The guest may have caused the line, and has not written any more since. */
static void begin(void)
{
    if (console != NULL)
        console_flush(console);
}

/* The length that format() wanted is more than there is when the line was cut. */
static uint64_t written(int wanted)
{
    return min_u64((uint64_t)wanted, PROCESS_TEXT_SIZE - 1);
}

void report(const char *fmt, ...)
{
    va_list args;

    begin();
    va_start(args, fmt);
    int length = vformat(gate_text(), PROCESS_TEXT_SIZE, fmt, args);
    va_end(args);
    gate_log(written(length));
}

_Noreturn void report_stop(enum gate_stop why, const char *fmt, ...)
{
    va_list args;

    begin();
    va_start(args, fmt);
    vformat(gate_text(), PROCESS_TEXT_SIZE, fmt, args);
    va_end(args);
    gate_stop(why);
}
