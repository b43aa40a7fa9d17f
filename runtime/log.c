/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for people, formatted into the text page. */
#include "runtime/log.h"

#include <stdarg.h>

#include "abi/process.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "runtime/gate.h"

/* The length that format() wanted is more than there is when the line was cut. */
static size_t written(int wanted)
{
    return min_u64((uint64_t)wanted, PROCESS_TEXT_SIZE - 1);
}

void log_line(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int length = vformat(gate_text(), PROCESS_TEXT_SIZE, fmt, args);
    va_end(args);
    gate_log(written(length));
}

_Noreturn void log_stop(enum gate_stop why, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vformat(gate_text(), PROCESS_TEXT_SIZE, fmt, args);
    va_end(args);
    gate_stop(why);
}
