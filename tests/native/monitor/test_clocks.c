/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that computes with time: conversions, the calendar against libc's, the RTC, the PM
 * timer. */
#include <string.h>
#include <time.h>

#include "monitor/calendar.h"
#include "monitor/kvmclock.h"
#include "monitor/pm.h"
#include "monitor/rtc.h"
#include "monitor/scale.h"
#include "tests/native/monitor/fakes.h"

#define HZ    1000000000ULL
#define START 1700000000ULL /* 2023-11-14 22:13:20, a Tuesday */

static struct rtc rtc;
static struct pm pm;

static void scaling(void **state)
{
    for (int i = 0; i < 200000; i++) {
        uint64_t value = random_u64() >> random_u64() % 64,
                 multiplier = random_u64() >> random_u64() % 64;
        uint64_t divisor = (random_u64() >> random_u64() % 64) | 1;
        unsigned __int128 product = (unsigned __int128)value * multiplier;

        assert_true(scale_down(value, multiplier, divisor) == (uint64_t)(product / divisor));
        assert_true(scale_up(value, multiplier, divisor) ==
                    (uint64_t)((product + divisor - 1) / divisor));
    }
}

static void calendar(void **state)
{
    for (int i = 0; i < 200000; i++) {
        uint64_t seconds = random_u64() % 250000000000; /* to the year 9892 */
        time_t time = (time_t)seconds;
        struct tm tm;
        struct calendar c = calendar_date(seconds);

        assert_non_null(gmtime_r(&time, &tm));
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(c.hour, tm.tm_hour);
        assert_int_equal(c.minute, tm.tm_min);
        assert_int_equal(c.second, tm.tm_sec);
        assert_int_equal(c.weekday, tm.tm_wday);
        assert_int_equal(calendar_seconds(&c), seconds);
    }
}

static int reset(void **state)
{
    rtc_init(&rtc, HZ, START, 0);
    pm_reset(&pm, HZ, 0);
    return 0;
}

static uint8_t get(uint8_t index, uint64_t tsc)
{
    rtc_write_index(&rtc, 0, index);
    return rtc_read(&rtc, 0, tsc);
}

static void set(uint8_t index, uint8_t value, uint64_t tsc)
{
    rtc_write_index(&rtc, 0, index);
    rtc_write(&rtc, 0, value, tsc);
}

static void assert_clock(uint64_t tsc, const uint8_t expected[8])
{
    static const uint8_t indices[8] = {0x32, 9, 8, 7, 6, 4, 2, 0};

    for (int i = 0; i < 8; i++)
        assert_int_equal(get(indices[i], tsc), expected[i]);
}

static void rtc_time(void **state)
{
    assert_clock(0, (uint8_t[]){0x20, 0x23, 0x11, 0x14, 0x03, 0x22, 0x13, 0x20});
    assert_clock(HZ * 40, (uint8_t[]){0x20, 0x23, 0x11, 0x14, 0x03, 0x22, 0x14, 0x00});
    assert_clock(HZ * 6400, (uint8_t[]){0x20, 0x23, 0x11, 0x15, 0x04, 0x00, 0x00, 0x00});
    set(0x0b, 0x06, 0); /* binary */
    assert_clock(0, (uint8_t[]){20, 23, 11, 14, 3, 22, 13, 20});
    set(0x0b, 0x00, 0); /* BCD, 12 hours */
    assert_clock(0, (uint8_t[]){0x20, 0x23, 0x11, 0x14, 0x03, 0x90, 0x13, 0x20});
    assert_int_equal(get(4, HZ * 6400), 0x12);
    assert_int_equal(get(0x0d, 0), 0x80);
}

static void rtc_set(void **state)
{
    uint64_t now = 5 * HZ + HZ / 4;

    set(0x0b, 0x82, now);
    set(0x32, 0x20, now);
    set(9, 0x24, now);
    set(8, 0x02, now);
    set(7, 0x29, now);
    set(4, 0x23, now);
    set(2, 0x59, now);
    set(0, 0x58, now);
    assert_int_equal(get(0, now + 100 * HZ), 0x58); /* it stands still */
    now += 100 * HZ;
    set(0x0b, 0x02, now);
    assert_clock(now, (uint8_t[]){0x20, 0x24, 0x02, 0x29, 0x05, 0x23, 0x59, 0x58});
    assert_clock(now + 2 * HZ, (uint8_t[]){0x20, 0x24, 0x03, 0x01, 0x06, 0x00, 0x00, 0x00});
    set(2, 0x30, now); /* without stopping it */
    assert_clock(now, (uint8_t[]){0x20, 0x24, 0x02, 0x29, 0x05, 0x23, 0x30, 0x58});
    set(0x0a, 0x70, now); /* hold the divider: the next update comes half a second after */
    now += 10 * HZ;
    assert_int_equal(get(0, now), 0x58);
    set(0x0a, 0x26, now);
    assert_int_equal(get(0, now + HZ / 2 - 1), 0x58);
    assert_int_equal(get(0, now + HZ / 2), 0x59);
}

static void rtc_update(void **state)
{
    assert_int_equal(get(0x0a, HZ / 2), 0x26);
    assert_int_equal(get(0x0a, HZ - HZ / 10000), 0xa6);
    assert_int_equal(get(0x0a, HZ), 0x26);
    assert_int_equal(get(0x0c, HZ / 2) & 0x10, 0x10);
    assert_int_equal(rtc_deadline(&rtc), UINT64_MAX);
    set(0x0b, 0x12, HZ);
    get(0x0c, HZ);
    assert_int_equal(rtc_deadline(&rtc), 2 * HZ);
    assert_false(rtc_interrupt(&rtc, 2 * HZ - 1));
    assert_true(rtc_interrupt(&rtc, 2 * HZ));
    assert_int_equal(rtc_deadline(&rtc), UINT64_MAX);
    assert_int_equal(get(0x0c, 2 * HZ) & 0x90, 0x90);
    assert_false(rtc_interrupt(&rtc, 2 * HZ));
    set(0x0b, 0x7a, 2 * HZ);
    rtc_reset(&rtc); /* PIE, AIE, UIE and SQWE; not 24/12 */
    assert_int_equal(get(0x0b, 2 * HZ), 0x02);
    assert_false(rtc_interrupt(&rtc, 9 * HZ));
    assert_int_equal(get(0, 40 * HZ), 0x00);
}

static void rtc_alarm(void **state)
{
    set(5, 0x22, 0);
    set(3, 0x14, 0);
    set(1, 0x05, 0);
    set(0x0b, 0x22, 0);
    assert_int_equal(rtc_deadline(&rtc), 45 * HZ);
    assert_false(rtc_interrupt(&rtc, 45 * HZ - 1));
    assert_true(rtc_interrupt(&rtc, 50 * HZ));
    assert_int_equal(get(0x0c, 50 * HZ) & 0xa0, 0xa0);
    assert_int_equal(rtc_deadline(&rtc), (45 + 86400) * HZ);
    set(5, 0xff, 50 * HZ); /* each hour */
    assert_int_equal(rtc_deadline(&rtc), (45 + 3600) * HZ);
    set(3, 0xc0, 50 * HZ); /* each minute */
    assert_int_equal(rtc_deadline(&rtc), (45 + 60) * HZ);
    set(1, 0xff, 50 * HZ); /* each second */
    assert_int_equal(rtc_deadline(&rtc), 51 * HZ);
    set(1, 0x99, 50 * HZ); /* never */
    assert_int_equal(rtc_deadline(&rtc), UINT64_MAX);
}

static void rtc_periodic(void **state)
{
    set(0x0b, 0x42, 0); /* 1,024 Hz */
    assert_int_equal(rtc_deadline(&rtc), 976563);
    assert_false(rtc_interrupt(&rtc, 976562));
    assert_true(rtc_interrupt(&rtc, 976563));
    assert_int_equal(get(0x0c, 976563) & 0xc0, 0xc0);
    assert_int_equal(rtc_deadline(&rtc), 2 * 976562 + 1);
    set(0x0a, 0x2f, 976563); /* 2 Hz */
    assert_int_equal(rtc_deadline(&rtc), HZ / 2);
    set(0x0a, 0x20, 976563);
    assert_int_equal(rtc_deadline(&rtc), UINT64_MAX);
}

static void host_rtc(void **state)
{
    static const struct {
        uint8_t registers[MONITOR_RTC_REGISTERS];
        uint64_t seconds;
    } rows[] = {
        {{0x59, 0, 0x59, 0, 0x23, 0, 3, 0x31, 0x12, 0x24, 0x26, 2}, 1735689599}, /* BCD, 24 hours */
        {{0x59, 0, 0x59, 0, 0x91, 0, 3, 0x31, 0x12, 0x24, 0x26, 0}, 1735689599}, /* 11 PM */
        {{59, 0, 59, 0, 23, 0, 3, 31, 12, 24, 0x26, 6}, 1735689599},             /* binary */
        {{0}, 0},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(rtc_seconds(rows[i].registers), rows[i].seconds);
}

struct time_record {
    uint32_t version, padding;
    uint64_t tsc_timestamp, system_time;
    uint32_t multiplier;
    int8_t shift;
    uint8_t flags, padding2[2];
};

struct wall_record {
    uint32_t version, seconds, nanoseconds;
};

#define GUEST_SIZE 0x2000u

/* Each at its place, and nothing else: what the guest's own figures make of the TSC is the time. */
static void kvm_records(void **state)
{
    static const uint64_t khz[] = {9000, 1000000, 1000001, 2893300, 5400000};
    static uint8_t bytes[GUEST_SIZE];
    const struct guest_memory memory = guest_memory_make(bytes, GUEST_SIZE);
    const struct exit_clock clock = {.tsc_offset = -5000ULL,
                                     .system_time = 0xff0 | CLOCK_ENABLED,
                                     .wall_clock = GUEST_SIZE - CLOCK_WALL_CLOCK_SIZE};
    struct time_record time;
    struct wall_record wall;

    for (unsigned i = 0; i < sizeof(khz) / sizeof(khz[0]); i++) {
        struct kvmclock k;
        const uint64_t hour = khz[i] * 3600000;

        memset(bytes, 0xa5, GUEST_SIZE);
        kvmclock_init(&k, khz[i], START + 3600, hour);
        kvmclock_events(&k, &memory, EVENT_CLOCK, &clock);
        memcpy(&time, &bytes[0xff0], sizeof(time));
        assert_int_equal(time.version, 2);
        assert_int_equal(time.tsc_timestamp, -5000ULL);
        assert_int_equal(time.system_time, 0);
        assert_int_equal(time.flags, 1);
        uint64_t ticks = time.shift >= 0 ? hour << time.shift : hour >> -time.shift;
        uint64_t ns = (uint64_t)((unsigned __int128)ticks * time.multiplier >> 32);
        assert_in_range(ns, 3600 * HZ - 3600000, 3600 * HZ);
        assert_int_equal(bytes[0xfef], 0xa5);
        assert_int_equal(bytes[0xff0 + sizeof(time)], 0xa5);
        assert_int_equal(bytes[GUEST_SIZE - 1], 0xa5);
        kvmclock_events(&k, &memory, EVENT_WALL_CLOCK, &clock);
        memcpy(&wall, &bytes[clock.wall_clock], sizeof(wall));
        assert_int_equal(wall.version, 4);
        assert_in_range(wall.seconds * HZ + wall.nanoseconds, START * HZ, START * HZ + 3600000);
    }
}

/* Ring 0 has looked where they lie; the monitor does not rely on that. */
static void kvm_no_records(void **state)
{
    static uint8_t bytes[GUEST_SIZE], before[GUEST_SIZE];
    const struct guest_memory memory = guest_memory_make(bytes, GUEST_SIZE);
    struct kvmclock k;

    kvmclock_init(&k, 1000000, 0, 0);
    assert_int_equal(k.start, 0);
    kvmclock_events(&k, &memory, EVENT_CLOCK, &(struct exit_clock){.system_time = 0x100});
    kvmclock_events(&k, &memory, EVENT_CLOCK,
                    &(struct exit_clock){.system_time = (GUEST_SIZE - 16) | CLOCK_ENABLED});
    kvmclock_events(&k, &memory, EVENT_WALL_CLOCK, &(struct exit_clock){.wall_clock = -8ULL});
    kvmclock_events(&k, &memory, EVENT_TIMER, &(struct exit_clock){.system_time = CLOCK_ENABLED});
    assert_memory_equal(bytes, before, GUEST_SIZE);
}

/* R20, and free memory. */
static void rtc_index(void **state)
{
    rtc_write_index(&rtc, 0, 0x8e);
    rtc_write_index(&rtc, 1, 0x0d);
    rtc_write(&rtc, 0, 0x77, 0);
    assert_int_equal(rtc_read(&rtc, 1, 0), 0x80);
    assert_int_equal(rtc_read(&rtc, 0, 0), 0x77);
    assert_int_equal(rtc_read_index(&rtc, 0), 0x8e);
}

static void pm_timer(void **state)
{
    uint64_t tsc;

    assert_int_equal(pm_read(&pm, PM_TIMER, HZ), 3579545);
    assert_int_equal(pm_read(&pm, PM_TIMER, 10000 * HZ), (uint32_t)35795450000);
    assert_int_equal(pm_deadline(&pm), UINT64_MAX);
    pm_write(&pm, PM_EVENT, 0x00010000, 0xffff0000, 0);
    tsc = pm_deadline(&pm);
    assert_int_equal(pm_read(&pm, PM_TIMER, tsc - 1), 0x7fffffff);
    assert_int_equal(pm_read(&pm, PM_TIMER, tsc), 0x80000000);
    assert_false(pm_interrupt(&pm, tsc - 1));
    assert_true(pm_interrupt(&pm, tsc));
    assert_int_equal(pm_read(&pm, PM_EVENT, tsc), 0x00010001);
    pm_write(&pm, PM_EVENT, 1, 0xffff, tsc);
    assert_false(pm_interrupt(&pm, tsc));
    assert_true(pm_deadline(&pm) > tsc);
}

/* RTC_STS is set when the line rises, and is the SCI where RTC_EN is set. */
static void pm_rtc(void **state)
{
    pm_set_rtc(&pm, true);
    assert_int_equal(pm_read(&pm, PM_EVENT, 0), 0x0400);
    assert_false(pm_interrupt(&pm, 0));
    pm_write(&pm, PM_EVENT, 0x04000000, 0xffff0000, 0);
    assert_true(pm_interrupt(&pm, 0));
    pm_write(&pm, PM_EVENT, 0x0400, 0xffff, 0);
    assert_false(pm_interrupt(&pm, 0));
    pm_set_rtc(&pm, true); /* still */
    assert_false(pm_interrupt(&pm, 0));
    pm_set_rtc(&pm, false);
    assert_false(pm_interrupt(&pm, 0));
    pm_set_rtc(&pm, true);
    assert_true(pm_interrupt(&pm, 0));
}

/* PWRBTN_STS is set by each press, and is the SCI where PWRBTN_EN is set. */
static void pm_power_button(void **state)
{
    assert_false(pm_press_power(&pm));
    assert_int_equal(pm_read(&pm, PM_EVENT, 0), 0x0100);
    assert_false(pm_interrupt(&pm, 0));
    pm_write(&pm, PM_EVENT, 0x01000000, 0xffff0000, 0);
    assert_true(pm_interrupt(&pm, 0));
    pm_write(&pm, PM_EVENT, 0x0100, 0xffff, 0);
    assert_false(pm_interrupt(&pm, 0));
    assert_true(pm_press_power(&pm));
    assert_true(pm_interrupt(&pm, 0));
}

static void pm_registers(void **state)
{
    assert_int_equal(pm_read(&pm, PM_CONTROL, 0), 1);
    pm_write(&pm, PM_CONTROL, 0, 0xffff, 0);
    assert_int_equal(pm_read(&pm, PM_CONTROL, 0), 1);
    pm_write(&pm, PM_EVENT, 0xffff0000, 0xff000000, 0); /* one byte */
    assert_int_equal(pm_read(&pm, PM_EVENT, 0), 0x07000000);
    pm_write(&pm, PM_CONTROL, 0x1400 | 0x2000, 0xffff, 0); /* another sleep state */
    assert_false(pm.power_off);
    pm_write(&pm, PM_CONTROL, 0x2000, 0xffff, 0);
    assert_true(pm.power_off);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaling),
        cmocka_unit_test(calendar),
        cmocka_unit_test_setup(rtc_time, reset),
        cmocka_unit_test_setup(rtc_set, reset),
        cmocka_unit_test_setup(rtc_update, reset),
        cmocka_unit_test_setup(rtc_alarm, reset),
        cmocka_unit_test_setup(rtc_periodic, reset),
        cmocka_unit_test_setup(rtc_index, reset),
        cmocka_unit_test(host_rtc),
        cmocka_unit_test(kvm_records),
        cmocka_unit_test(kvm_no_records),
        cmocka_unit_test_setup(pm_timer, reset),
        cmocka_unit_test_setup(pm_rtc, reset),
        cmocka_unit_test_setup(pm_power_button, reset),
        cmocka_unit_test_setup(pm_registers, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
