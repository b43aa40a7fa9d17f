/* SPDX-License-Identifier: BSD-2-Clause */
/* TAP of a process that is a test, in its log. */
#pragma once

#include <stdbool.h>

#include "runtime/gate.h"
#include "runtime/log.h"

static unsigned tap_tests;

/* The next test's result. */
static void ok(bool good, const char *name)
{
    tap_tests++;
    log_line("%s %u - %s", good ? "ok" : "not ok", tap_tests, name);
}

/* Ends the process: no further test makes sense. */
static _Noreturn void bail_out(const char *why)
{
    log_line("Bail out! %s", why);
    gate_stop(GATE_STOP_FAULT);
}

/* Ends the process: all tests have been done. */
static _Noreturn void plan(void)
{
    log_line("1..%u", tap_tests);
    gate_stop(GATE_STOP_POWER_OFF);
}
