/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of chance, the same ones in each run. */
#pragma once

#include <stdint.h>

/* The next one, below `limit`, which is not 0. */
uint32_t below(uint32_t limit);
