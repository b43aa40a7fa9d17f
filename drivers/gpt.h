/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk's partitions, from its GUID partition table (UEFI specification, "GUID Partition Table
 * (GPT) Disk Layout"). Nothing in the table is believed before it was checked. */
#pragma once

#include <stdint.h>

#include "abi/plan.h"

#define GPT_PARTITIONS 128u /* what a table has in use, at most */
#define GPT_NAME       36u  /* characters */

struct gpt_partition {
    uint64_t first, sectors;
    char name[PLAN_LABEL_SIZE]; /* a character outside of ASCII is '?'; NUL-terminated */
};

struct gpt {
    /* What is wrong with the table at the disk's beginning, when this one is the copy at its end;
     * NULL: nothing is. */
    const char *damage;
    uint32_t count;
    struct gpt_partition partition[GPT_PARTITIONS];
};

/* The 512 bytes of a sector, good until the next call; NULL: it cannot be read. */
typedef const uint8_t *gpt_reader(uint64_t sector);

/* Reads the table of a disk of this many sectors. NULL, or what is wrong with it: a clause without
 * its end. */
const char *gpt_load(struct gpt *gpt, uint64_t sectors, gpt_reader *read);

/* The partition of this name. NULL, with what is wrong in *error: there is none, or more. */
const struct gpt_partition *gpt_find(const struct gpt *gpt, const char *name, const char **error);
