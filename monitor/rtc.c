/* SPDX-License-Identifier: BSD-2-Clause */
/* The real-time clock, after the data sheet of the MC146818A. R20: the index is the vCPU's. */
#include "monitor/rtc.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "monitor/calendar.h"
#include "monitor/scale.h"

enum {
    SECOND,
    SECOND_ALARM,
    MINUTE,
    MINUTE_ALARM,
    HOUR,
    HOUR_ALARM,
    WEEKDAY,
    DAY,
    MONTH,
    YEAR,
    A,
    B,
    C,
    D
};

#define A_RATE    0x0f
#define A_DIVIDER 0x70
#define A_RESET   0x60 /* dividers of this and above stand still */
#define A_UIP     0x80
#define A_INITIAL 0x26 /* 32,768 Hz, periodic rate 1,024 Hz */

#define B_24_HOURS 0x02
#define B_BINARY   0x04
#define B_SQWE     0x08
#define B_UIE      0x10
#define B_AIE      0x20
#define B_PIE      0x40
#define B_SET      0x80

#define C_UF    B_UIE /* the flags have the places of their enable bits */
#define C_AF    B_AIE
#define C_PF    B_PIE
#define C_FLAGS 0x70
#define C_IRQF  0x80

#define D_VALID 0x80

#define HOUR_PM   0x80
#define ALARM_ANY 0xc0 /* alarm bytes from here on match everything */
#define NO_ALARM  UINT64_MAX

#define CRYSTAL_HZ    32768u
#define UPDATE_MICROS 244 /* UIP is seen so long before the update */
#define INDEX_BITS    0x7f

static bool divider_reset(const struct rtc *rtc)
{
    return (rtc->memory[A] & A_DIVIDER) >= A_RESET;
}

/* The clock stands still while software sets it, or holds its divider. */
static bool held(const struct rtc *rtc)
{
    return rtc->memory[B] & B_SET || divider_reset(rtc);
}

static uint64_t seconds_at(const struct rtc *rtc, uint64_t tsc)
{
    if (held(rtc))
        return rtc->base_seconds;
    return rtc->base_seconds + (tsc - rtc->base_tsc) / rtc->tsc_hz;
}

static uint64_t tsc_of_second(const struct rtc *rtc, uint64_t seconds)
{
    return rtc->base_tsc + (seconds - rtc->base_seconds) * rtc->tsc_hz;
}

static uint8_t encode(const struct rtc *rtc, uint32_t value)
{
    return (uint8_t)(rtc->memory[B] & B_BINARY ? value : value / 10 % 10 << 4 | value % 10);
}

static uint32_t decode(const struct rtc *rtc, uint8_t byte)
{
    return rtc->memory[B] & B_BINARY ? byte : (byte >> 4) * 10u + (byte & 0xf);
}

static uint8_t encode_hour(const struct rtc *rtc, uint32_t hour)
{
    if (rtc->memory[B] & B_24_HOURS)
        return encode(rtc, hour);
    return encode(rtc, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? HOUR_PM : 0);
}

static uint32_t decode_hour(const struct rtc *rtc, uint8_t byte)
{
    if (rtc->memory[B] & B_24_HOURS)
        return decode(rtc, byte);
    return decode(rtc, byte & (uint8_t)~HOUR_PM) % 12 + (byte & HOUR_PM ? 12 : 0);
}

/* Time into the clock's bytes of the memory. */
static void store_time(struct rtc *rtc, uint64_t seconds)
{
    struct calendar c = calendar_date(seconds);
    uint8_t *m = rtc->memory;

    m[SECOND] = encode(rtc, c.second);
    m[MINUTE] = encode(rtc, c.minute);
    m[HOUR] = encode_hour(rtc, c.hour);
    m[WEEKDAY] = encode(rtc, c.weekday + 1);
    m[DAY] = encode(rtc, c.day);
    m[MONTH] = encode(rtc, c.month);
    m[YEAR] = encode(rtc, c.year % 100);
    m[RTC_CENTURY] = encode(rtc, c.year / 100);
}

/* And back. The weekday follows from the date; what software writes there is not kept. */
static uint64_t load_time(const struct rtc *rtc)
{
    const uint8_t *m = rtc->memory;
    struct calendar c = {
        .year = decode(rtc, m[RTC_CENTURY]) * 100 + decode(rtc, m[YEAR]),
        .month = decode(rtc, m[MONTH]),
        .day = decode(rtc, m[DAY]),
        .hour = decode_hour(rtc, m[HOUR]),
        .minute = decode(rtc, m[MINUTE]),
        .second = decode(rtc, m[SECOND]),
    };

    return calendar_seconds(&c);
}

static bool alarm_matches(uint8_t byte, uint32_t wanted, uint32_t value)
{
    return byte >= ALARM_ANY || wanted == value;
}

/* The first second of a day, not before `from`, at which the alarm goes
 * off; SECONDS_PER_DAY: none. */
static uint32_t alarm_in_day(const struct rtc *rtc, uint32_t from)
{
    const uint8_t *m = rtc->memory;
    uint32_t hour = decode_hour(rtc, m[HOUR_ALARM]), minute = decode(rtc, m[MINUTE_ALARM]);
    uint32_t second = decode(rtc, m[SECOND_ALARM]), t = from;

    while (t < SECONDS_PER_DAY)
        if (!alarm_matches(m[HOUR_ALARM], hour, t / 3600))
            t = (t / 3600 + 1) * 3600;
        else if (!alarm_matches(m[MINUTE_ALARM], minute, t / 60 % 60))
            t = (t / 60 + 1) * 60;
        else if (!alarm_matches(m[SECOND_ALARM], second, t % 60))
            t++;
        else
            break;
    return t;
}

/* The first alarm after a time. */
static uint64_t next_alarm(const struct rtc *rtc, uint64_t after)
{
    uint64_t day = (after + 1) / SECONDS_PER_DAY * SECONDS_PER_DAY;
    uint32_t at = alarm_in_day(rtc, (uint32_t)((after + 1) % SECONDS_PER_DAY));

    if (at < SECONDS_PER_DAY)
        return day + at;
    at = alarm_in_day(rtc, 0);
    return at < SECONDS_PER_DAY ? day + SECONDS_PER_DAY + at : NO_ALARM;
}

/* Crystal ticks between two periodic events; 0: none. The fastest two rates are those of slower
 * ones. */
static uint32_t period(const struct rtc *rtc)
{
    unsigned rate = rtc->memory[A] & A_RATE;

    if (rate == 0 || divider_reset(rtc))
        return 0;
    return 1u << (rate < 3 ? rate + 6 : rate - 1);
}

/* How many periodic events there were up to a time. */
static uint64_t periods(const struct rtc *rtc, uint64_t tsc)
{
    return scale_down(tsc - rtc->base_tsc, CRYSTAL_HZ, rtc->tsc_hz) / period(rtc);
}

/* Sets the flags of all that has happened since the last look. */
static void update(struct rtc *rtc, uint64_t tsc)
{
    uint64_t from = seconds_at(rtc, rtc->seen_tsc), to = seconds_at(rtc, tsc);

    if (to > from) {
        rtc->memory[C] |= C_UF;
        if (next_alarm(rtc, from) <= to)
            rtc->memory[C] |= C_AF;
    }
    if (period(rtc) != 0 && periods(rtc, tsc) != periods(rtc, rtc->seen_tsc))
        rtc->memory[C] |= C_PF;
    rtc->seen_tsc = tsc;
}

static bool raised(const struct rtc *rtc)
{
    return rtc->memory[C] & rtc->memory[B] & C_FLAGS;
}

uint64_t rtc_seconds(const uint8_t registers[static MONITOR_RTC_REGISTERS])
{
    struct rtc host = {0};

    memcpy(host.memory, registers, MONITOR_RTC_REGISTERS);
    host.memory[RTC_CENTURY] = encode(&host, 20);
    return host.memory[MONTH] != 0 ? load_time(&host) : 0;
}

void rtc_init(struct rtc *rtc, uint64_t tsc_hz, uint64_t seconds, uint64_t tsc)
{
    *rtc =
        (struct rtc){.tsc_hz = tsc_hz, .base_seconds = seconds, .base_tsc = tsc, .seen_tsc = tsc};
    rtc->memory[A] = A_INITIAL;
    rtc->memory[B] = B_24_HOURS;
    rtc->memory[D] = D_VALID;
}

void rtc_reset(struct rtc *rtc)
{
    rtc->memory[B] &= (uint8_t)~(B_PIE | B_AIE | B_UIE | B_SQWE);
    rtc->memory[C] = 0;
}

uint8_t rtc_read_index(const struct rtc *rtc, unsigned vcpu)
{
    return rtc->index[vcpu];
}

void rtc_write_index(struct rtc *rtc, unsigned vcpu, uint8_t value)
{
    rtc->index[vcpu] = value;
}

static bool is_time(unsigned index)
{
    return index == RTC_CENTURY || index == SECOND || index == MINUTE || index == HOUR ||
           (index >= WEEKDAY && index <= YEAR);
}

static bool update_in_progress(const struct rtc *rtc, uint64_t tsc)
{
    uint64_t rest = rtc->tsc_hz - (tsc - rtc->base_tsc) % rtc->tsc_hz;

    return !held(rtc) && rest <= scale_down(rtc->tsc_hz, UPDATE_MICROS, 1000000);
}

uint8_t rtc_read(struct rtc *rtc, unsigned vcpu, uint64_t tsc)
{
    unsigned index = rtc->index[vcpu] & INDEX_BITS;
    uint8_t value;

    update(rtc, tsc);
    if (is_time(index) && !held(rtc))
        store_time(rtc, seconds_at(rtc, tsc));
    value = rtc->memory[index];
    if (index == A && update_in_progress(rtc, tsc))
        value |= A_UIP;
    if (index == C) {
        value |= raised(rtc) ? C_IRQF : 0;
        rtc->memory[C] = 0;
    }
    return value;
}

/* Makes the last full second the base, so that the clock can go on from there
 * under other settings. */
static void rebase(struct rtc *rtc, uint64_t tsc)
{
    uint64_t seconds = seconds_at(rtc, tsc);

    rtc->base_tsc = tsc - (tsc - rtc->base_tsc) % rtc->tsc_hz;
    rtc->base_seconds = seconds;
}

/* Registers A and B stop and start the clock: its time goes into the memory, or is taken from
 * there. */
static void write_control(struct rtc *rtc, unsigned index, uint8_t value, uint64_t tsc)
{
    bool was_held = held(rtc), divider_was_reset = divider_reset(rtc);

    rebase(rtc, tsc);
    if (!was_held)
        store_time(rtc, rtc->base_seconds);
    rtc->memory[index] = value;
    if (was_held)
        rtc->base_seconds = load_time(rtc);
    if (divider_was_reset && !divider_reset(rtc))
        rtc->base_tsc = tsc - rtc->tsc_hz / 2; /* the first update comes half a second later */
}

static void write_memory(struct rtc *rtc, unsigned index, uint8_t value, uint64_t tsc)
{
    if (!is_time(index) || held(rtc)) {
        rtc->memory[index] = value;
        return;
    }
    rebase(rtc, tsc);
    store_time(rtc, rtc->base_seconds);
    rtc->memory[index] = value;
    rtc->base_seconds = load_time(rtc);
}

void rtc_write(struct rtc *rtc, unsigned vcpu, uint8_t value, uint64_t tsc)
{
    unsigned index = rtc->index[vcpu] & INDEX_BITS;

    update(rtc, tsc);
    switch (index) {
    case A:
        write_control(rtc, index, value & (uint8_t)~A_UIP, tsc);
        break;
    case B:
        write_control(rtc, index, value & B_SET ? value & (uint8_t)~B_UIE : value, tsc);
        break;
    case C:
    case D: /* read-only */
        break;
    default:
        write_memory(rtc, index, value, tsc);
        break;
    }
}

bool rtc_interrupt(struct rtc *rtc, uint64_t tsc)
{
    update(rtc, tsc);
    return raised(rtc);
}

uint64_t rtc_deadline(const struct rtc *rtc)
{
    uint64_t deadline = UINT64_MAX, now = seconds_at(rtc, rtc->seen_tsc);
    uint8_t enabled = rtc->memory[B];

    if (raised(rtc))
        return deadline;
    if (enabled & B_PIE && period(rtc) != 0) {
        uint64_t next = (periods(rtc, rtc->seen_tsc) + 1) * period(rtc);

        deadline = rtc->base_tsc + scale_up(next, rtc->tsc_hz, CRYSTAL_HZ);
    }
    if (held(rtc))
        return deadline;
    if (enabled & B_UIE)
        deadline = min_u64(deadline, tsc_of_second(rtc, now + 1));
    if (enabled & B_AIE && next_alarm(rtc, now) != NO_ALARM)
        deadline = min_u64(deadline, tsc_of_second(rtc, next_alarm(rtc, now)));
    return deadline;
}
