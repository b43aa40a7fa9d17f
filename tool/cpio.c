/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing cpio archives: see cpio.h. The
 * format: Linux, driver-api/early-userspace/buffer-format. */
#include "tool/cpio.h"

#include <string.h>

#define TRAILER     "TRAILER!!!"
#define HEADER_SIZE 110

void cpio_begin(struct cpio *cpio, FILE *file)
{
    *cpio = (struct cpio){.file = file, .next_inode = 1};
}

/* Writes bytes, and zeros to the next multiple of 4. */
static void put(struct cpio *cpio, const void *bytes, size_t size)
{
    static const char zeros[4];

    fwrite(bytes, 1, size, cpio->file);
    cpio->position += size;
    size_t padding = -cpio->position & 3;
    fwrite(zeros, 1, padding, cpio->file);
    cpio->position += padding;
}

void cpio_add(struct cpio *cpio, const struct cpio_member *member)
{
    size_t name_size = strlen(member->name) + 1;

    /* magic, inode, mode, uid, gid, links, mtime, size, device, node's device, name's size,
     * checksum */
    fprintf(cpio->file, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
            cpio->next_inode++, member->mode, 0, 0, 1, 0, (uint32_t)member->size, 0, 0,
            member->major, member->minor, (uint32_t)name_size, 0);
    cpio->position += HEADER_SIZE;
    put(cpio, member->name, name_size);
    put(cpio, member->data, member->size);
}

bool cpio_end(struct cpio *cpio)
{
    cpio_add(cpio, &(struct cpio_member){.name = TRAILER, .data = ""});
    return fflush(cpio->file) == 0 && !ferror(cpio->file);
}
