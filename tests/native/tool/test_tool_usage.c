/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of what happened between two looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tool/usage.h"

/* Behind report.h, which has a function of the name of a macro of cmocka's. */
#include <cmocka.h>

#define HEAD "NAME                 STATE      CPU%   EXITS/s    MSRS/s  EXITS/s BY REASON"

static char lines[1000];

static void take(const char *text)
{
    snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "%s\n", text);
}

static const char *table(const struct usage *before, const struct usage *now, unsigned width)
{
    lines[0] = '\0';
    usage_table(before, now, width, take);
    return lines;
}

/* 10 MHz; the second look is two seconds behind the first. */
static const struct usage first = {
    .tsc_khz = 10000,
    .vm_count = 1,
    .process_count = 1,
    .vms = {{.name = "a",
             .tsc = 5,
             .used = {.time = 7, .msr_writes = 9, .msr_reads = 1},
             .exits = {[10] = 7, [12] = 4}}},
    .processes = {{.name = "console", .tsc = 5, .time = 50}},
};
static const struct usage second = {
    .tsc_khz = 10000,
    .vm_count = 2,
    .process_count = 1,
    .vms = {{.name = "a",
             .state = CONTROL_VM_PAUSED,
             .tsc = 20000005,
             .used = {.time = 5000007, .msr_writes = 13, .msr_reads = 3},
             .exits = {[0] = 2, [10] = 2007, [12] = 30004, [28] = 4, [30] = 2, [48] = 6}},
            {.name = "b", .tsc = 20000005, .used = {.time = 99}, .exits = {[10] = 5}}},
    .processes = {{.name = "console", .tsc = 20000005, .time = 20000050}},
};

/* Of a VM the four reasons of most exits; who comes later has done nothing yet. */
static void what_happened_in_a_second(void **state)
{
    assert_string_equal(
        table(&first, &second, 200),
        HEAD "\n"
             "a                    paused     25.0     16007         3  HLT 15000, CPUID 1000, "
             "EPT violation 3, control-register access 2\n"
             "b                    running     0.0         0         0  \n"
             "console              process   100.0\n");
}

/* A first look, and what seems to go back. */
static void nothing_happened(void **state)
{
    static const char none[] = HEAD "\n"
                                    "a                    running     0.0         0         0  \n"
                                    "console              process     0.0\n";

    assert_string_equal(table(&first, &first, 200), none);
    assert_string_equal(table(&second, &first, 200), none);
}

static void a_narrow_screen(void **state)
{
    assert_string_equal(table(&first, &second, 10),
                        "NAME      \na         \nb         \nconsole   \n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happened_in_a_second),
        cmocka_unit_test(nothing_happened),
        cmocka_unit_test(a_narrow_screen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
