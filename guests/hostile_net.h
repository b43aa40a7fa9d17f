/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows HOSTILE_NET of hostile.def, a function each that does not return. */
#ifndef GUESTS_HOSTILE_NET_H
#define GUESTS_HOSTILE_NET_H

#define HOSTILE(name)
#define HOSTILE_CPUS(name)
#define HOSTILE_DISK(name)
#define HOSTILE_NET(name) void name(void);
#include "guests/hostile.def"
#undef HOSTILE
#undef HOSTILE_CPUS
#undef HOSTILE_DISK
#undef HOSTILE_NET

#endif
