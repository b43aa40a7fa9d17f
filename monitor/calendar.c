/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Days are counted from the 1st of March of the year 0, so that a leap day is the last of its year,
 * and 153 days of each five months from March on make the lengths of months a straight line.
 */
#include "monitor/calendar.h"

#define DAYS_TO_1970       719468u /* from 0000-03-01 */
#define DAYS_PER_400_YEARS 146097u
#define WEEKDAY_OF_1970    4u

static uint64_t days_before_year(uint64_t year)
{
    return year * 365 + year / 4 - year / 100 + year / 400;
}

struct calendar calendar_date(uint64_t seconds)
{
    uint64_t day = seconds / SECONDS_PER_DAY + DAYS_TO_1970;
    uint32_t rest = (uint32_t)(seconds % SECONDS_PER_DAY);
    uint64_t year = day * 400 / DAYS_PER_400_YEARS;

    /* The estimate is at most one too high. */
    while (days_before_year(year) > day)
        year--;
    while (days_before_year(year + 1) <= day)
        year++;
    uint32_t of_year = (uint32_t)(day - days_before_year(year));
    uint32_t march_month = (5 * of_year + 2) / 153;

    return (struct calendar){
        .year = (uint32_t)(year + (march_month >= 10)),
        .month = march_month < 10 ? march_month + 3 : march_month - 9,
        .day = of_year - (153 * march_month + 2) / 5 + 1,
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
        .weekday = (uint32_t)((seconds / SECONDS_PER_DAY + WEEKDAY_OF_1970) % 7),
    };
}

uint64_t calendar_seconds(const struct calendar *c)
{
    uint64_t months = (uint64_t)c->year * 12 + c->month + 9; /* March of the year 0 is 12 */
    uint64_t year = months / 12 - 1, march_month = months % 12;
    uint64_t days = days_before_year(year) + (153 * march_month + 2) / 5 + c->day;

    if (c->year < 1970 || days < DAYS_TO_1970 + 1)
        return 0;
    return (days - 1 - DAYS_TO_1970) * SECONDS_PER_DAY + c->hour * 3600 + c->minute * 60 +
           c->second;
}
