/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that another process writes at the same time. Native tests have a header of the same
 * name, where every access is a step of a model. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/string.h"

/* Accesses behind it, in the program's order, are made behind it. */
static inline uint32_t shared_load(const uint32_t *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

/* Accesses before it, in the program's order, are made before it. */
static inline void shared_store(uint32_t *at, uint32_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

/* What was stored before can be seen by others before anything behind it is loaded. */
static inline void shared_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Many bytes, which change meanwhile if the other side does not keep to the protocol. */
static inline void shared_copy(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}
