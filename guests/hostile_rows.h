/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of hostile.def for which hostile.c has no function: one each that does not return. */
#pragma once

#define HOSTILE(name)
#define HOSTILE_CPUS(name)  void name(void);
#define HOSTILE_DISK(name)  void name(void);
#define HOSTILE_FLAWS(name) void name(void);
#define HOSTILE_NET(name)   void name(void);
#include "guests/hostile.def"
#undef HOSTILE
#undef HOSTILE_CPUS
#undef HOSTILE_DISK
#undef HOSTILE_FLAWS
#undef HOSTILE_NET
