/* SPDX-License-Identifier: BSD-2-Clause */
/* The program of a process in ring 3: an ELF file, which is input from outside. Ring 0 and the tool
 * check it alike; what was checked is loaded without a further look. */
#ifndef LIB_IMAGE_H
#define LIB_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

/* ELF-64 object file format. */
struct image_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct image_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
#define IMAGE_SEGMENT_X 1
#define IMAGE_SEGMENT_W 2

/* Says what is wrong with a file of `size` bytes, to follow the name of what it is; NULL where it
 * is an image. It must be aligned to 8 bytes. Pure. */
const char *image_check(const void *file, uint64_t size);

/* Of an image: from its first page to the end of its last one, in bytes. */
uint64_t image_span(const void *file);

static inline const struct image_segment *image_segments(const struct image_header *header)
{
    return (const void *)((const uint8_t *)header + header->phoff);
}

/* Whether something of it belongs into memory. */
bool image_loads(const struct image_segment *segment);

#endif
