/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels: pages that two processes share, and an event bit in each of them. What is in the pages
 * ring 0 never looks at. */
#pragma once

#include "hypervisor/process/process.h"

/* Makes a channel of the plan between these two. At boot, before either runs. */
void channel_create(const struct plan_channel *plan, struct process *client,
                    struct process *server);

/* Whether p has all of these channels: a bit for each. */
static inline bool channel_has(const struct process *p, uint64_t channels)
{
    return channels >> p->info->channel_count == 0;
}

/* EVENT_CHANNEL for the other sides of these channels of p. */
void channel_notify(const struct process *p, uint64_t channels);

/* p has ended, and does not come back: the other sides of its channels are told. */
void channel_end_all(const struct process *p);
