/* SPDX-License-Identifier: BSD-2-Clause */
/* The tool's small pure parts: sizes, the escape key, plain text, the verdict on the serial line,
 * the choice of runner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tool/keys.h"
#include "tool/outcome.h"
#include "tool/plain.h"
#include "tool/runner.h"
#include "tool/size.h"

static void sizes_are_read(void **state)
{
    static const struct {
        const char *word;
        uint64_t bytes; /* 0: no size */
    } rows[] = {
        {"1", 1},
        {"2048K", 2 * MIB},
        {"256M", 256 * MIB},
        {"256m", 256 * MIB},
        {"3G", 3072 * MIB},
        {"1T", MIB * MIB},
        {"4096T", 4096 * MIB * MIB},
        {"4097T", 0},
        {"4503599627370497", 0},
        {"18446744073709551615", 0},
        {"0", 0},
        {"0M", 0},
        {"", 0},
        {"M", 0},
        {"-1M", 0},
        {" 1M", 0},
        {"1 M", 0},
        {"1MB", 0},
        {"1.5G", 0},
        {"0x10M", 0},
        {"99999999999999999999", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t bytes = 0;
        bool good = size_parse(rows[i].word, &bytes);
        if (good != (rows[i].bytes != 0) || bytes != rows[i].bytes)
            fail_msg("'%s' was read as %d, %llu", rows[i].word, good, (unsigned long long)bytes);
    }
}

static void sizes_are_written_as_they_are_read(void **state)
{
    static const uint64_t sizes[] = {1, 1023, 1024, 1025, 3 * MIB, MIB * MIB, 4096 * MIB * MIB - 1};
    char buffer[24];
    uint64_t again;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_true(size_parse(size_text(sizes[i], buffer), &again));
        assert_int_equal(again, sizes[i]);
    }
    assert_string_equal(size_text(256 * MIB, buffer), "256M");
}

/* Types `typed`, and returns the command that came last; what goes to the machine is added to
 * `sent`. */
static enum keys_command type(struct keys *keys, const char *typed, char *sent)
{
    enum keys_command last = KEYS_NONE;
    char out[2];
    size_t length;

    for (; *typed; typed++) {
        enum keys_command command = keys_take(keys, *typed, out, &length);
        strncat(sent, out, length);
        last = command != KEYS_NONE ? command : last;
    }
    return last;
}

static void escape_key_commands(void **state)
{
    static const struct {
        const char *typed, *sent;
        enum keys_command command;
    } rows[] = {
        {"ls\r", "ls\r", KEYS_NONE},
        {"\x1dq", "", KEYS_QUIT},
        {"a\x1dh"
         "b",
         "ab", KEYS_HELP},
        {"\x1dn", "\x1dn", KEYS_NONE},
        {KEYS_WHERE,
         "\x1d"
         "d",
         KEYS_NONE},
        {"\x1d\x1dq", "\x1d\x1dq", KEYS_NONE}, /* a literal escape, then a plain q */
        {"\x1dx"
         "y",
         "y", KEYS_NONE},
        {"q", "q", KEYS_NONE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct keys keys = {0};
        char sent[32] = "";
        assert_int_equal(type(&keys, rows[i].typed, sent), rows[i].command);
        assert_string_equal(sent, rows[i].sent);
    }
}

static void plain_text_has_no_control_sequences(void **state)
{
    static const char in[] = "one\r\n\x1b[6ntwo\x1b[1;31m red\x1b[0m\x1b"
                             "7 end\r\n";
    static const char expected[] = "one\ntwo red end\n";
    char out[sizeof(in)];

    /* However the bytes are cut into pieces. */
    for (size_t step = 1; step < sizeof(in); step++) {
        struct plain plain = {0};
        size_t done = 0;
        for (size_t at = 0; at < sizeof(in) - 1; at += step) {
            size_t part = sizeof(in) - 1 - at < step ? sizeof(in) - 1 - at : step;
            done += plain_text(&plain, in + at, part, out + done);
        }
        assert_int_equal(done, sizeof(expected) - 1);
        assert_memory_equal(out, expected, done);
    }
}

static void outcome_is_the_last_word(void **state)
{
    static const struct {
        const char *output;
        enum outcome_kind kind;
        unsigned faults;
        const char *reason;
    } rows[] = {
        {"lintel: 1 starts\r\nlintel: end: 2 VMs, 0 faults\r\n", OUTCOME_END, 0, ""},
        {"lintel: end: 2 VMs, 1 faults\r\n", OUTCOME_END, 1, ""},
        {"lintel: end: 2 VMs, 1 faults\r\n\r\n", OUTCOME_END, 1, ""},
        {"lintel: end: 2 VMs, 1 faults\r\nlintel: the machine is halted; switch it off or reset "
         "it\r\n",
         OUTCOME_END, 1, ""},
        /* A guest prints it, and the run goes on. */
        {"lintel: end: 1 VMs, 0 faults\nlogin:\n", OUTCOME_NONE, 0, ""},
        {"lintel: end: 1 VMs, 0 faults\nlintel: end: 1 VMs, 1 faults\n", OUTCOME_END, 1, ""},
        {"say lintel: end: 1 VMs, 0 faults\n", OUTCOME_NONE, 0, ""},
        {"lintel: end: 1 VMs, 0 faults and more\n", OUTCOME_NONE, 0, ""},
        {"lintel: end: 1 VMs\n", OUTCOME_NONE, 0, ""},
        {"lintel: end: 1 VMs, 0 faults", OUTCOME_NONE, 0, ""},
        {"lintel: stopped: this CPU lacks ept (needed)\r\n", OUTCOME_STOPPED, 0,
         "this CPU lacks ept (needed)"},
        {"lintel: panic: bad\r\nlintel:   rax 0\r\n", OUTCOME_PANIC, 0, "bad"},
        {"", OUTCOME_NONE, 0, ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome outcome = {0};
        for (const char *c = rows[i].output; *c; c++)
            outcome_take(&outcome, c, 1);
        assert_int_equal(outcome.kind, rows[i].kind);
        assert_false(outcome_is_last_word(&outcome));
        outcome.unforged = true;
        assert_int_equal(outcome_is_last_word(&outcome), rows[i].kind != OUTCOME_NONE);
        outcome_take(&outcome, "# ", 2);
        assert_false(outcome_is_last_word(&outcome));
        if (outcome.kind == OUTCOME_END)
            assert_int_equal(outcome.faults, rows[i].faults);
        assert_string_equal(outcome.reason, rows[i].reason);
    }
}

static void outcome_survives_a_long_line(void **state)
{
    struct outcome outcome = {0};

    for (int i = 0; i < 10000; i++)
        outcome_take(&outcome, "x", 1);
    outcome_take(&outcome, "\n", 1);
    assert_int_equal(outcome.kind, OUTCOME_NONE);
    outcome_take(&outcome, "lintel: end: 1 VMs, 0 faults\n", 29);
    assert_int_equal(outcome.kind, OUTCOME_END);
}

static void outcome_of_caps(void **state)
{
    static const char good[] =
        "lintel: ept  ok\r\nlintel: caps: verdict: Lintel runs on this CPU\r\n";
    static const char bad[] = "lintel: caps: verdict: Lintel cannot run on this CPU\r\n";
    struct outcome outcome = {0};

    outcome_take(&outcome, good, strlen(good));
    assert_int_equal(outcome.kind, OUTCOME_VERDICT);
    assert_true(outcome.can_run);
    outcome_take(&outcome, bad, strlen(bad));
    assert_int_equal(outcome.kind, OUTCOME_VERDICT);
    assert_false(outcome.can_run);
}

/* Of all sixteen machines, one has qemu-kvm; the obstacle names the first thing that lacks. */
static void runner_needs_everything_for_kvm(void **state)
{
    for (unsigned bits = 0; bits < 16; bits++) {
        struct runner_facts facts = {bits & 1, bits & 2, bits & 4, bits & 8};
        assert_int_equal(runner_choose(&facts), bits == 15 ? RUNNER_QEMU_KVM : RUNNER_BOCHS);
        if (bits == 15) {
            assert_null(runner_kvm_obstacle(&facts));
        } else {
            const char *word = !(bits & 1)   ? "VT-x"
                               : !(bits & 2) ? "/dev/kvm"
                               : !(bits & 4) ? "nested=1"
                                             : "install";
            assert_non_null(strstr(runner_kvm_obstacle(&facts), word));
        }
    }
}

static void runners_are_found_by_name(void **state)
{
    enum runner runner;

    for (int i = 0; i < RUNNER_COUNT; i++) {
        assert_true(runner_parse(runner_name((enum runner)i), &runner));
        assert_int_equal(runner, i);
    }
    assert_false(runner_parse("qemu", &runner));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(sizes_are_written_as_they_are_read),
        cmocka_unit_test(escape_key_commands),
        cmocka_unit_test(plain_text_has_no_control_sequences),
        cmocka_unit_test(outcome_is_the_last_word),
        cmocka_unit_test(outcome_survives_a_long_line),
        cmocka_unit_test(outcome_of_caps),
        cmocka_unit_test(runner_needs_everything_for_kvm),
        cmocka_unit_test(runners_are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
