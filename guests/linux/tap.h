/* SPDX-License-Identifier: BSD-2-Clause */
/* abi-test's verdict, and the families of its tests. */
#pragma once

#include <stdbool.h>

bool ok(bool passed, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void skip(const char *reason, const char *what);

/* Prints the plan; the exit code of the program. */
int tap_end(void);

void test_calls(void);
void test_memory(void);
void test_processes(void);
void test_shadow_stacks(void);
void test_signals(void);
void test_vectors(void);
