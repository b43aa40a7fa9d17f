/* SPDX-License-Identifier: BSD-2-Clause */
/* The log lines that a VM can cause: how many, what is told of the rest, and that nobody waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/cpu/tsc.h"
#include "hypervisor/process/process.h"
#include "hypervisor/report/log.h"
#include "lib/bucket.h"
#include "tests/native/report/line.h"

#define KHZ 1000000ULL

uint64_t tsc_khz(void)
{
    return KHZ;
}

static uint64_t now(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void bucket(void **state)
{
    struct bucket b = {0};

    for (int i = 0; i < 3; i++)
        assert_true(bucket_take(&b, 1000, 10, 3));
    assert_false(bucket_take(&b, 1000, 10, 3));
    assert_false(bucket_take(&b, 1009, 10, 3));
    assert_true(bucket_take(&b, 1010, 10, 3));
    assert_false(bucket_take(&b, 1019, 10, 3));
    assert_true(bucket_take(&b, 1020, 10, 3));
    /* A long time fills it, and no more. */
    for (int i = 0; i < 3; i++)
        assert_true(bucket_take(&b, 1000000, 10, 3));
    assert_false(bucket_take(&b, 1000000, 10, 3));
}

static struct process_info infos[2] = {{.name = "vm0"}, {.name = "vm1"}};
static struct process vm[2];

static int setup(void **state)
{
    line_reset();
    log_pages.reader.asked = 0;
    for (uint8_t i = 0; i < 2; i++)
        vm[i] = (struct process){.info = &infos[i], .vm = i};
    return 0;
}

/* A whole report of a fault comes at once; of a flood the rest is counted, for each VM by itself.
 */
static void budget(void **state)
{
    for (int i = 0; i < 1000; i++)
        process_log(&vm[0], "restart");
    assert_in_range(line_count("lintel: vm vm0: restart\r\n"), 64, 74);
    process_log(&vm[1], "another one's %s", "line");
    assert_int_equal(line_count("lintel: vm vm1: another one's line\r\n"), 1);
    assert_int_equal(line_count("left out"), 0);
    vm[0].log.full_at = now(); /* later */
    vm[0].log_left_out = 950;
    process_log(&vm[0], "restart");
    assert_int_equal(
        line_count("lintel: vm vm0: too many lines: 950 left out\r\nlintel: vm vm0: restart\r\n"),
        1);
    process_log_left_out(&vm[0]);
    assert_int_equal(line_count("left out"), 1);
}

/* When somebody asks, each has as much as at first, once. */
static void asked(void **state)
{
    for (int i = 0; i < 1000; i++)
        process_log(&vm[0], "before");
    log_pages.reader.asked++;
    for (int i = 0; i < 1000; i++)
        process_log(&vm[0], "here I am");
    assert_in_range(line_count("here I am"), 64, 74);
}

static void nobody(void)
{
}

/* Without room above what the hypervisor keeps for itself they are left out, too. The records that
 * the console gets say whose they are. */
static void no_room(void **state)
{
    const struct log_record *is =
        (const void *)&log_pages.ring.bytes[log_pages.ring.tail % LOG_RING_SIZE];

    log_hand_over(nobody);
    process_log(&vm[1], "somebody reads this");
    assert_int_equal(is->vm, 1);
    while (log_room() > LOG_LINE_MAX)
        log_line("%0200d", 0);
    process_log(&vm[0], "nobody reads this");
    assert_int_equal(vm[0].log_left_out, 1);
    log_take_back();
    process_log(&vm[0], "but this");
    assert_int_equal(line_count("somebody reads this"), 1);
    assert_int_equal(line_count("nobody reads"), 0);
    assert_int_equal(line_count("1 left out\r\nlintel: vm vm0: but this\r\n"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket),
        cmocka_unit_test_setup(budget, setup),
        cmocka_unit_test_setup(asked, setup),
        cmocka_unit_test_setup(no_room, setup),
    };

    return cmocka_run_group_tests_name("a VM's log lines", tests, NULL, NULL);
}
