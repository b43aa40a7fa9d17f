/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes of memory as people write them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MIB ((uint64_t)1 << 20)

/* Reads "512M", "1G", "2048K" or bytes. False when it is no such size, is zero or does not fit 64
 * bits. */
bool size_parse(const char *word, uint64_t *bytes);

/* Writes a size with the largest unit that divides it: "256M". Returns `buffer`, of at least 24
 * bytes. */
const char *size_text(uint64_t bytes, char buffer[static 24]);
