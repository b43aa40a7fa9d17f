/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows HOSTILE_DISK of hostile.def, a function each that does not return. */
#ifndef GUESTS_HOSTILE_DISK_H
#define GUESTS_HOSTILE_DISK_H

#define HOSTILE(name)
#define HOSTILE_CPUS(name)
#define HOSTILE_DISK(name) void name(void);
#define HOSTILE_NET(name)
#include "guests/hostile.def"
#undef HOSTILE
#undef HOSTILE_CPUS
#undef HOSTILE_DISK
#undef HOSTILE_NET

#endif
