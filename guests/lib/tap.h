/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdict: the Test Anything Protocol on the first serial line.
 *
 * Descriptions carry no values that differ from run to run: the same kernel's lines are compared
 * between Lintel and the bare machine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PRINTF_LIKE(n) __attribute__((format(printf, n, n + 1)))

bool ok(bool passed, const char *fmt, ...) PRINTF_LIKE(2);

/* Like ok(), and on failure both values are shown. */
bool is(uint64_t got, uint64_t expected, const char *fmt, ...) PRINTF_LIKE(3);

/* A test that this machine cannot do. */
void skip(const char *reason, const char *fmt, ...) PRINTF_LIKE(2);

/* A remark for the reader. */
void diag(const char *fmt, ...) PRINTF_LIKE(1);

/* Any line, as it is. */
void print(const char *fmt, ...) PRINTF_LIKE(1);

/* Ends the test at once as failed. */
_Noreturn void bail_out(const char *fmt, ...) PRINTF_LIKE(1);

/* Prints the plan. */
void tap_end(void);
