/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests whose vCPUs all do what takes from others: the rows HOSTILE_CPUS of hostile.def. */
#ifndef GUESTS_HOSTILE_CPUS_H
#define GUESTS_HOSTILE_CPUS_H

#define HOSTILE(name)
#define HOSTILE_CPUS(name) void name(void);
#define HOSTILE_DISK(name)
#define HOSTILE_NET(name)
#include "guests/hostile.def"
#undef HOSTILE
#undef HOSTILE_CPUS
#undef HOSTILE_DISK
#undef HOSTILE_NET

#endif
