/* SPDX-License-Identifier: BSD-2-Clause */
/* Seconds since 1970 to date and time, and back: the proleptic Gregorian calendar, UTC. */
#pragma once

#include <stdint.h>

#define SECONDS_PER_DAY 86400u

struct calendar {
    uint32_t year;                             /* all digits */
    uint32_t month, day, hour, minute, second; /* month and day from 1 */
    uint32_t weekday;                          /* from 0: Sunday; not read by calendar_seconds */
};

struct calendar calendar_date(uint64_t seconds);

/* Fields out of their range carry over into the next larger one. Years before 1970 give 0. */
uint64_t calendar_seconds(const struct calendar *c);
