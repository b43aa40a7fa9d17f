/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing cpio archives in the format newc, without root and the same bytes each time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cpio {
    FILE *file;
    uint32_t next_inode;
    uint64_t position;
};

struct cpio_member {
    const char *name;      /* without a leading '/' */
    uint32_t mode;         /* as in struct stat: type and permissions */
    uint32_t major, minor; /* of a device node */
    const void *data;      /* a file's content, or a link's target */
    size_t size;           /* bytes */
};

/* Starts an archive. */
void cpio_begin(struct cpio *cpio, FILE *file);

/* Adds a member, owned by root, from the start of 1970. */
void cpio_add(struct cpio *cpio, const struct cpio_member *member);

/* Ends the archive. False when some part of it could not be written. */
bool cpio_end(struct cpio *cpio);
