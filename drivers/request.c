/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/request.h"

#include <stddef.h>

#include "lib/bits.h"

static const struct {
    bool ranged; /* it is about sectors */
    bool moves;  /* between them and segments */
    uint32_t needs;
} operation[BLOCK_OP_COUNT] = {
    [BLOCK_READ] = {.ranged = true, .moves = true},
    [BLOCK_WRITE] = {.ranged = true, .moves = true, .needs = BLOCK_CAN_WRITE},
    [BLOCK_DISCARD] = {.ranged = true, .needs = BLOCK_CAN_DISCARD},
    [BLOCK_ZERO] = {.ranged = true, .needs = BLOCK_CAN_ZERO},
};

static const struct process_extent *extent_of(const struct share *share, uint64_t segment,
                                              uint64_t address)
{
    const struct process_extents *all = share->extents;

    if (segment & BLOCK_SEGMENT_BOUNCE)
        return address < share->bounce.size ? &share->bounce : NULL;
    if (share->flags & BLOCK_NEEDS_BOUNCE)
        return NULL;
    for (uint64_t i = 0; i < all->count; i++)
        if (address - all->extent[i].gpa < all->extent[i].size)
            return &all->extent[i];
    return NULL;
}

/* The memory of a segment, without its first sectors, as far as it is in one piece. False: it is
 * not the client's, or empty. */
static bool find_run(const struct share *share, uint64_t segment, uint32_t sectors,
                     struct disk_run *run)
{
    uint64_t address = BLOCK_SEGMENT_ADDRESS(segment) + (uint64_t)sectors * BLOCK_SECTOR;
    uint64_t size = (uint64_t)(BLOCK_SEGMENT_SECTORS(segment) - sectors) * BLOCK_SECTOR;
    const struct process_extent *e = extent_of(share, segment, address);

    if (!e)
        return false;
    run->physical = e->physical + (address - e->gpa);
    run->bytes = (uint32_t)min_u64(size, e->size - (address - e->gpa));
    return size > 0;
}

enum block_status request_check(const struct block_request *head, const struct share *share)
{
    if (head->op >= BLOCK_OP_COUNT || head->reserved != 0 || head->segment_count > BLOCK_SEGMENTS)
        return BLOCK_INVALID;
    if (!share->present)
        return BLOCK_NO_DEVICE;
    if (operation[head->op].needs & ~share->flags)
        return BLOCK_REFUSED;
    if (operation[head->op].ranged && (head->sectors == 0 || head->sectors > share->sectors ||
                                       head->sector > share->sectors - head->sectors))
        return BLOCK_INVALID;
    if (!operation[head->op].moves && head->segment_count != 0)
        return BLOCK_INVALID;
    return BLOCK_DONE;
}

/* Fills a command with the next runs, of at most so many sectors. False: its segments end before,
 * or are not the client's memory. */
static bool cut_runs(struct request *r, const struct share *share, const struct disk *disk,
                     uint32_t sectors, struct disk_command *command)
{
    struct disk_run *run = command->runs, *end = run + disk->max_runs;
    uint32_t left = sectors, at = r->at, sectors_at = r->sectors_at;

    for (; left > 0 && run < end; run++) {
        if (at == r->head.segment_count || !find_run(share, r->segment[at], sectors_at, run))
            return false;
        run->bytes = (uint32_t)min_u64(run->bytes, (uint64_t)left * BLOCK_SECTOR);
        left -= run->bytes / BLOCK_SECTOR;
        sectors_at += run->bytes / BLOCK_SECTOR;
        if (sectors_at == BLOCK_SEGMENT_SECTORS(r->segment[at])) {
            sectors_at = 0;
            at++;
        }
    }
    r->at = at;
    r->sectors_at = sectors_at;
    command->run_count = (uint32_t)(run - command->runs);
    command->sectors = sectors - left;
    return true;
}

enum request_part request_cut(struct request *r, const struct share *share, const struct disk *disk,
                              struct disk_command *command)
{
    uint32_t left = r->head.sectors - r->sectors;
    uint32_t most = left < disk->max_sectors ? left : disk->max_sectors;

    command->op = (enum block_op)r->head.op;
    command->sector = share->first + r->head.sector + r->sectors;
    command->sectors = most;
    command->run_count = 0;
    if (!operation[r->head.op].ranged) {
        command->sectors = 0;
        return REQUEST_LAST;
    }
    if (operation[r->head.op].moves && !cut_runs(r, share, disk, most, command))
        return REQUEST_WRONG;
    r->sectors += command->sectors;
    if (command->sectors < left)
        return REQUEST_MORE;
    return r->at == r->head.segment_count ? REQUEST_LAST : REQUEST_WRONG;
}
