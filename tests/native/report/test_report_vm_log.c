/* SPDX-License-Identifier: BSD-2-Clause */
/* The log lines that a VM can cause: how many, what is told of the rest, and that nobody waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/log.h"
#include "hypervisor/vm/vm.h"
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

/* A whole report of a fault comes at once; of a flood the rest is counted, for each VM by itself.
 */
static void budget(void **state)
{
    line_reset(2);
    for (int i = 0; i < 1000; i++)
        vm_log(&vms[0], "restart");
    assert_in_range(line_count("lintel: vm vm0: restart\r\n"), 50, 60);
    vm_log(&vms[1], "another one's %s", "line");
    assert_int_equal(line_count("lintel: vm vm1: another one's line\r\n"), 1);
    assert_int_equal(line_count("left out"), 0);
    vms[0].process.log.full_at = now(); /* later */
    vms[0].process.log_left_out = 950;
    vm_log(&vms[0], "restart");
    assert_int_equal(
        line_count("lintel: vm vm0: too many lines: 950 left out\r\nlintel: vm vm0: restart\r\n"),
        1);
    process_log_left_out(&vms[0].process);
    assert_int_equal(line_count("left out"), 1);
}

/* Without room above what the hypervisor keeps for itself they are left out, too. */
static void no_room(void **state)
{
    line_reset(1);
    port.queued = log_room();
    vm_log(&vms[0], "nobody reads this");
    assert_int_equal(line_count("nobody"), 0);
    assert_int_equal(vms[0].process.log_left_out, 1);
    assert_int_equal(port.flushes, 0);
    port.queued = 0;
    vm_log(&vms[0], "but this");
    assert_int_equal(line_count("1 left out\r\nlintel: vm vm0: but this\r\n"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket),
        cmocka_unit_test(budget),
        cmocka_unit_test(no_room),
    };

    return cmocka_run_group_tests_name("a VM's log lines", tests, NULL, NULL);
}
