/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers from the processor: a leaf that native tests replace. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether the processor has RDRAND. */
bool entropy_there(void);

/* How many of the words it has filled: now and then the processor has none left. */
uint32_t entropy(uint64_t *words, uint32_t count);
