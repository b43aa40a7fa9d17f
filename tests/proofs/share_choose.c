/* SPDX-License-Identifier: BSD-2-Clause */
/* What a channel gets of a disk: a partition of its label, or the whole disk; and leave to write
 * where the plan, the disk, the table and the label allow it, and nowhere else. */
#include "drivers/share.c"
#include "tests/proofs/proof.h"

struct process_channel nondet_channel(void);
struct disk nondet_disk(void);

static struct gpt gpt;
static const struct gpt_partition *found; /* what gpt_find is taken to find, the proof gpt_find */

const struct gpt_partition *gpt_find(const struct gpt *table, const char *name, const char **error)
{
    *error = "none";
    return found;
}

static bool is_ours(const char *label)
{
    static const char ours[] = "lintel-";
    bool same = true;

    for (unsigned i = 0; i < 7; i++)
        same &= label[i] == ours[i];
    return same;
}

static bool is_reached(const struct process_extent *e, const struct disk *disk)
{
    return e->size == 0 || e->physical + e->size - 1 <= disk->last_physical;
}

void proof(void)
{
    struct process_channel channel = nondet_channel();
    struct disk disk = nondet_disk();
    struct process_extents extents = {.count = nondet_bool()};
    struct share share;
    const char *why;

    extents.extent[0].size = nondet_u64();
    extents.extent[0].physical = nondet_u64();
    gpt.partition[0].first = nondet_u64();
    gpt.partition[0].sectors = nondet_u64();
    gpt.damage = nondet_bool() ? "damaged" : NULL;
    found = nondet_bool() ? &gpt.partition[0] : NULL;
    channel.label[PLAN_LABEL_SIZE - 1] = '\0';
    why = share_choose(&share, &channel, &extents, &disk, &gpt, nondet_bool() ? "no table" : NULL);
    if (!share.present) {
        prove(why != NULL);
        return;
    }
    if (channel.label[0] != '\0')
        prove(found && share.first == found->first && share.sectors == found->sectors);
    else
        prove(share.first == 0 && share.sectors == disk.sectors);
    if (share.flags & BLOCK_CAN_WRITE) {
        prove(!channel.read_only && disk.flags & BLOCK_CAN_WRITE && why == NULL);
        prove(channel.label[0] != '\0' ? is_ours(channel.label) && !gpt.damage : disk.memory);
    }
    prove(is_reached(&share.bounce, &disk));
    prove(share.flags & BLOCK_NEEDS_BOUNCE || extents.count == 0 ||
          is_reached(&extents.extent[0], &disk));
}
