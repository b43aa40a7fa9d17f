/* SPDX-License-Identifier: BSD-2-Clause */
/* Which part of the disk a channel is about, and what its client may do with it. */
#pragma once

#include "drivers/gpt.h"
#include "drivers/request.h"

/*
 * Fills the share of a channel; `error` says why there is no partition table, NULL: `gpt` is it.
 * Returns NULL, or why the client gets less than its channel asks for: nothing, or no writing.
 */
const char *share_choose(struct share *share, const struct process_channel *channel,
                         const struct process_extents *extents, const struct disk *disk,
                         const struct gpt *gpt, const char *error);
