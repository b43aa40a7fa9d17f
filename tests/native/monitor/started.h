/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's monitor behind its start, with a kernel of one instruction, and the page of its exits. */
#pragma once

#include "tests/native/monitor/fakes.h"

#define MEMORY (16ULL << 20)
#define CODE   0x400000ULL /* the kernel's, */

extern const uint8_t *const kernel_code; /* which is 8 bytes */
extern struct monitor_info info;
extern struct board *b;
extern struct exit_page page;

int started_setup(void **state);
int started_teardown(void **state);

/* The exit of an instruction of these bytes, at CODE. */
void code(const void *bytes, size_t size);
