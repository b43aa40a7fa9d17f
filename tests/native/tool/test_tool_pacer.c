/* SPDX-License-Identifier: BSD-2-Clause */
/* Pacing the input: a clock, a guest that prompts, and what must go out when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tool/pacer.h"

/* Asks at `now` what may be sent of `bytes`, and sends it. */
static size_t ask(struct pacer *pacer, uint64_t now, const char *bytes, int *wait)
{
    size_t ready = pacer_ready(pacer, now, bytes, strlen(bytes), wait);

    if (ready)
        pacer_sent(pacer, now, bytes, ready);
    return ready;
}

static void say(struct pacer *pacer, uint64_t now, const char *bytes)
{
    pacer_output(pacer, now, bytes, strlen(bytes));
}

static void typing_goes_at_once_in_bursts(void **state)
{
    struct pacer pacer = {.typed = true};
    int wait;

    assert_int_equal(ask(&pacer, 1000, "a", &wait), 1);
    assert_int_equal(ask(&pacer, 1000, "a paste of text", &wait), 0);
    assert_int_equal(wait, PACER_GAP_MS);
    assert_int_equal(ask(&pacer, 1000 + PACER_GAP_MS, "a\npaste of text", &wait), PACER_BURST);
    assert_int_equal(ask(&pacer, 1000 + 2 * PACER_GAP_MS, "of text", &wait), 7);
}

static void lines_wait_for_a_prompt(void **state)
{
    struct pacer pacer = {0};
    int wait;

    /* Nothing before the first prompt, however long that takes. */
    assert_int_equal(ask(&pacer, 100, "ls\n", &wait), 0);
    assert_int_equal(wait, -1);
    say(&pacer, 200, "booting\r\n");
    assert_int_equal(ask(&pacer, 1000000, "ls\n", &wait), 0);
    assert_int_equal(wait, -1);
    /* A prompt, once nothing follows it. */
    say(&pacer, 1000000, "# \x1b[6n");
    assert_int_equal(ask(&pacer, 1000010, "ls\n", &wait), 0);
    assert_int_equal(wait, PACER_QUIET_MS - 10);
    assert_int_equal(ask(&pacer, 1000000 + PACER_QUIET_MS, "ls\nid\n", &wait), 3);
}

static void long_lines_go_on_in_spite_of_the_echo(void **state)
{
    struct pacer pacer = {0};
    int wait;

    say(&pacer, 0, "# ");
    assert_int_equal(ask(&pacer, 1000, "echo abcdef\nid\n", &wait), PACER_BURST);
    say(&pacer, 1005, "echo abc");
    assert_int_equal(ask(&pacer, 1006, "def\nid\n", &wait), 0);
    assert_int_equal(wait, 1000 + PACER_GAP_MS - 1006);
    assert_int_equal(ask(&pacer, 1010, "def\nid\n", &wait), 4);
    /* The next line is for the next prompt. */
    assert_int_equal(ask(&pacer, 1100, "id\n", &wait), 0);
    say(&pacer, 1200, "def\r\nabcdef\r\n# ");
    assert_int_equal(ask(&pacer, 1200 + PACER_QUIET_MS, "id\n", &wait), 3);
}

static void a_silent_reader_gets_lines_too(void **state)
{
    struct pacer pacer = {0};
    int wait;

    say(&pacer, 0, "# ");
    assert_int_equal(ask(&pacer, 1000, "cat\n", &wait), 4);
    say(&pacer, 1001, "cat\r\n");
    assert_int_equal(ask(&pacer, 1500, "x\n", &wait), 0);
    assert_int_equal(wait, 1001 + PACER_PATIENCE - 1500);
    assert_int_equal(ask(&pacer, 1001 + PACER_PATIENCE, "x\n", &wait), 2);
}

static void an_echo_that_stops_halfway_is_no_prompt(void **state)
{
    struct pacer pacer = {0};
    int wait;

    say(&pacer, 0, "# ");
    assert_int_equal(ask(&pacer, 1000, "ls\n", &wait), 3);
    say(&pacer, 1001, "l");
    assert_int_equal(ask(&pacer, 1001 + PACER_QUIET_MS, "id\n", &wait), 0);
    say(&pacer, 2000, "s\r\n# ");
    assert_int_equal(ask(&pacer, 2000 + PACER_QUIET_MS, "id\n", &wait), 3);
}

static void a_line_of_the_hypervisor_is_no_prompt(void **state)
{
    struct pacer pacer = {0};
    int wait;

    /* However far it has come, and in how many pieces. */
    for (const char *c = "lintel: 8 start"; *c; c++) {
        pacer_output(&pacer, 0, c, 1);
        assert_int_equal(ask(&pacer, 10000, "ls\n", &wait), 0);
        assert_int_equal(wait, -1);
    }
    say(&pacer, 20000, "\r\nlintel# ");
    assert_int_equal(ask(&pacer, 20000 + PACER_QUIET_MS, "ls\n", &wait), 3);
}

/* Its UART is set up anew: what is sent before that is lost. */
static void a_line_of_the_hypervisor_ends_no_prompt(void **state)
{
    struct pacer pacer = {0};
    int wait;

    say(&pacer, 1000, "say something: \r\nlintel: vm other: halts for ever\r\n");
    say(&pacer, 1001, "lintel: vm other: rip 1000\r\n");
    assert_int_equal(ask(&pacer, 1001, "ls\n", &wait), 0);
    assert_int_equal(wait, PACER_QUIET_MS);
    assert_int_equal(ask(&pacer, 1001 + PACER_QUIET_MS, "ls\nid\n", &wait), 3);
    /* It was for one line. */
    assert_int_equal(ask(&pacer, 1001 + 2 * PACER_QUIET_MS, "id\n", &wait), 0);
    say(&pacer, 2000, "ls\r\nbin dev\r\nlintel: vm other: rip 1000\r\n");
    assert_int_equal(ask(&pacer, 2000 + PACER_QUIET_MS, "id\n", &wait), 0);
    /* A prompt of before a restart is none. */
    say(&pacer, 3000, "login: \r\nlintel: vm other: restarts\r\n");
    assert_int_equal(ask(&pacer, 3000 + PACER_QUIET_MS, "id\n", &wait), 0);
    assert_int_equal(wait, -1);
}

static void a_restart_is_waited_for(void **state)
{
    struct pacer pacer = {0};
    int wait;

    say(&pacer, 0, "# ");
    assert_int_equal(ask(&pacer, PACER_QUIET_MS, "reboot\n", &wait), 7);
    say(&pacer, 1000, "reboot\r\nlintel: vm demo: rest");
    say(&pacer, 1001, "art\r\n");
    assert_int_equal(ask(&pacer, 1000000, "ls\n", &wait), 0);
    assert_int_equal(wait, -1);
    say(&pacer, 1000001, "# ");
    assert_int_equal(ask(&pacer, 1000001 + PACER_QUIET_MS, "ls\n", &wait), 3);
    /* Not for a line of the guest's, nor for another one of the hypervisor's. */
    say(&pacer, 2000000, "ls\r\nx: restart\r\nlintel: vm demo: 256 MiB\r\n");
    assert_int_equal(ask(&pacer, 2000000 + PACER_PATIENCE, "id\n", &wait), 3);
}

static void output_that_never_pauses_holds_lines_back(void **state)
{
    struct pacer pacer = {0};
    int wait;

    for (uint64_t now = 0; now < 100000; now += PACER_QUIET_MS - 1) {
        say(&pacer, now, "12%");
        assert_int_equal(ask(&pacer, now + 1, "ls\n", &wait), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typing_goes_at_once_in_bursts),
        cmocka_unit_test(lines_wait_for_a_prompt),
        cmocka_unit_test(long_lines_go_on_in_spite_of_the_echo),
        cmocka_unit_test(a_silent_reader_gets_lines_too),
        cmocka_unit_test(an_echo_that_stops_halfway_is_no_prompt),
        cmocka_unit_test(a_line_of_the_hypervisor_is_no_prompt),
        cmocka_unit_test(a_line_of_the_hypervisor_ends_no_prompt),
        cmocka_unit_test(a_restart_is_waited_for),
        cmocka_unit_test(output_that_never_pauses_holds_lines_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
