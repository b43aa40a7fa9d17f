/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of chance, the same ones in each run. */
#ifndef GUESTS_LIB_CHANCE_H
#define GUESTS_LIB_CHANCE_H

#include <stdint.h>

/* The next one, below `limit`, which is not 0. */
uint32_t below(uint32_t limit);

#endif
