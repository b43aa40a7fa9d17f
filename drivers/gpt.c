/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/gpt.h"

#include <stdbool.h>
#include <stddef.h>

#include "abi/block.h"
#include "lib/crc32.h"
#include "lib/string.h"

/* Bounds of our own, far above what partitioning tools make. */
#define ENTRY_COUNT_MAX 1024u
#define ENTRY_SIZE_MAX  4096u

#define HEADER_SIZE 92u

struct header {
    char signature[8];
    uint32_t revision;
    uint32_t size; /* bytes, of what the checksum is of */
    uint32_t checksum;
    uint32_t reserved;
    uint64_t my_lba, alternate_lba;
    uint64_t first_usable, last_usable;
    uint8_t disk[16];
    uint64_t entry_lba;
    uint32_t entry_count, entry_size;
    uint32_t entry_checksum;
    uint32_t padding; /* no part of it */
};

struct entry {
    uint64_t type[2]; /* 0: not in use */
    uint64_t unique[2];
    uint64_t first, last;
    uint64_t attributes;
    uint16_t name[GPT_NAME]; /* UTF-16 */
};

_Static_assert(offsetof(struct header, padding) == HEADER_SIZE, "the header's layout");
_Static_assert(sizeof(struct entry) == 128, "the entry's layout");

static bool checksum_is_right(const uint8_t *sector, const struct header *h)
{
    static const uint8_t zero[sizeof(h->checksum)];
    size_t at = offsetof(struct header, checksum), behind = at + sizeof(zero);
    uint32_t sum = crc32(UINT32_MAX, sector, at);

    sum = crc32(sum, zero, sizeof(zero));
    return ~crc32(sum, sector + behind, h->size - behind) == h->checksum;
}

static uint64_t entry_sectors(const struct header *h)
{
    return ((uint64_t)h->entry_count * h->entry_size + BLOCK_SECTOR - 1) / BLOCK_SECTOR;
}

/* Reads the header at lba. NULL, or what is wrong with it. */
static const char *read_header(struct header *h, uint64_t lba, uint64_t sectors, gpt_reader *read)
{
    const uint8_t *sector = read(lba);

    if (!sector)
        return "its header cannot be read";
    memcpy(h, sector, sizeof(*h));
    if (memcmp(h->signature, "EFI PART", sizeof(h->signature)) != 0)
        return "there is no header";
    if (h->size < HEADER_SIZE || h->size > BLOCK_SECTOR)
        return "its header has an impossible size";
    if (!checksum_is_right(sector, h))
        return "its header's checksum is wrong";
    if (h->revision >> 16 != 1)
        return "it is of an unknown revision";
    if (h->my_lba != lba)
        return "its header belongs elsewhere";
    if (h->last_usable >= sectors - 1) /* the last one is the copy's header */
        return "it is for a larger disk";
    if (h->first_usable < 2)
        return "its header is among the partitions";
    if (h->first_usable > h->last_usable)
        return "it leaves no room for partitions";
    if (h->entry_count == 0 || h->entry_count > ENTRY_COUNT_MAX)
        return "its number of entries is out of range";
    if (h->entry_size < sizeof(struct entry) || h->entry_size > ENTRY_SIZE_MAX ||
        (h->entry_size & (h->entry_size - 1)) != 0)
        return "the size of its entries is out of range";
    if (h->entry_lba < 2 || h->entry_lba >= sectors || entry_sectors(h) > sectors - h->entry_lba)
        return "its entries are outside of the disk";
    if (h->entry_lba <= h->last_usable && h->entry_lba + entry_sectors(h) > h->first_usable)
        return "its entries are among the partitions";
    return NULL;
}

/* Takes an entry over. NULL, or what is wrong with it. */
static const char *add(struct gpt *gpt, const struct header *h, const struct entry *e)
{
    struct gpt_partition *p = &gpt->partition[gpt->count];

    if (e->type[0] == 0 && e->type[1] == 0)
        return NULL;
    if (e->first < h->first_usable || e->first > e->last || e->last > h->last_usable)
        return "a partition is out of bounds";
    if (gpt->count == GPT_PARTITIONS)
        return "it has more than 128 partitions";
    for (uint32_t i = 0; i < gpt->count; i++) {
        const struct gpt_partition *other = &gpt->partition[i];

        if (e->first < other->first + other->sectors && other->first <= e->last)
            return "two partitions overlap";
    }
    p->first = e->first;
    p->sectors = e->last - e->first + 1;
    memset(p->name, 0, sizeof(p->name));
    for (unsigned i = 0; i < GPT_NAME && e->name[i] != 0; i++)
        p->name[i] = e->name[i] < 0x7f && e->name[i] >= ' ' ? (char)e->name[i] : '?';
    gpt->count++;
    return NULL;
}

/* Reads the entries. NULL, or what is wrong with them; of a wrong checksum the rest says nothing.
 */
static const char *read_entries(struct gpt *gpt, const struct header *h, gpt_reader *read)
{
    size_t left = (size_t)h->entry_count * h->entry_size;
    uint32_t sum = UINT32_MAX;
    const char *error = NULL;

    gpt->count = 0;
    for (uint64_t n = 0; left > 0; n++) {
        const uint8_t *sector = read(h->entry_lba + n);
        size_t size = left < BLOCK_SECTOR ? left : BLOCK_SECTOR;

        if (!sector)
            return "its entries cannot be read";
        sum = crc32(sum, sector, size);
        for (size_t at = 0; at < size && !error; at += h->entry_size) {
            struct entry e;

            if ((n * BLOCK_SECTOR + at) % h->entry_size != 0)
                break; /* in the middle of a large one */
            memcpy(&e, sector + at, sizeof(e));
            error = add(gpt, h, &e);
        }
        left -= size;
    }
    return ~sum == h->entry_checksum ? error : "its entries' checksum is wrong";
}

static const char *read_table(struct gpt *gpt, uint64_t lba, uint64_t sectors, gpt_reader *read)
{
    struct header h;
    const char *error = read_header(&h, lba, sectors, read);

    return error ? error : read_entries(gpt, &h, read);
}

/* Whether a partition table of the old kind says that the disk has one of ours: what is left of
 * one on a disk that was partitioned anew without it is none. */
static bool is_protected(const uint8_t *mbr)
{
    if (mbr[510] != 0x55 || mbr[511] != 0xaa)
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (mbr[446 + i * 16 + 4] == 0xee)
            return true;
    return false;
}

const char *gpt_load(struct gpt *gpt, uint64_t sectors, gpt_reader *read)
{
    const uint8_t *mbr = read(0);

    gpt->damage = NULL;
    gpt->count = 0;
    if (!mbr)
        return "its first sector cannot be read";
    if (sectors < 3 || !is_protected(mbr))
        return "there is none";
    gpt->damage = read_table(gpt, 1, sectors, read);
    if (gpt->damage && read_table(gpt, sectors - 1, sectors, read)) {
        gpt->count = 0;
        return gpt->damage;
    }
    return NULL;
}

const struct gpt_partition *gpt_find(const struct gpt *gpt, const char *name, const char **error)
{
    const struct gpt_partition *found = NULL;

    *error = "no partition has this label";
    for (uint32_t i = 0; i < gpt->count; i++) {
        if (strcmp(gpt->partition[i].name, name) != 0)
            continue;
        if (found) {
            *error = "two partitions have this label";
            return NULL;
        }
        found = &gpt->partition[i];
    }
    return found;
}
