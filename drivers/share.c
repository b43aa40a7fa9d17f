/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/share.h"

#include <stddef.h>

#include "lib/string.h"

/* The labels of partitions that may be written: nothing else on a disk is ours. */
#define OURS "lintel-"

static bool reaches(const struct disk *disk, const struct process_extent *e)
{
    return e->size == 0 || e->physical + e->size - 1 <= disk->last_physical;
}

static bool reaches_all(const struct disk *disk, const struct process_extents *extents)
{
    for (uint64_t i = 0; i < extents->count; i++)
        if (!reaches(disk, &extents->extent[i]))
            return false;
    return true;
}

/* Why a client may not write; NULL: it may. */
static const char *why_read_only(const char *label, const struct disk *disk, const struct gpt *gpt)
{
    if (!(disk->flags & BLOCK_CAN_WRITE))
        return "the disk cannot be written";
    if (label[0] == '\0')
        return disk->memory ? NULL : "a whole disk is never written, name a partition";
    if (strncmp(label, OURS, sizeof(OURS) - 1) != 0)
        return "only partitions with a label that begins with " OURS " are written";
    return gpt->damage ? "the disk's partition table is damaged, repair it first" : NULL;
}

const char *share_choose(struct share *share, const struct process_channel *channel,
                         const struct process_extents *extents, const struct disk *disk,
                         const struct gpt *gpt, const char *error)
{
    const char *read_only;

    *share = (struct share){
        .sectors = disk->sectors,
        .flags = disk->flags & BLOCK_NEEDS_BOUNCE,
        .extents = extents,
        .bounce = {.physical = channel->physical + CHANNEL_AREA + offsetof(struct block_area, page),
                   .size = sizeof(((struct block_area *)NULL)->page)},
    };
    if (!reaches(disk, &share->bounce))
        return "its channel is beyond the addresses that the device reaches";
    if (!reaches_all(disk, extents))
        share->flags |= BLOCK_NEEDS_BOUNCE;
    if (channel->label[0] != '\0') {
        const struct gpt_partition *p = error ? NULL : gpt_find(gpt, channel->label, &error);

        if (!p)
            return error;
        share->first = p->first;
        share->sectors = p->sectors;
    }
    share->present = true;
    if (channel->read_only)
        return NULL;
    read_only = why_read_only(channel->label, disk, gpt);
    if (!read_only)
        share->flags |= disk->flags;
    return read_only;
}
