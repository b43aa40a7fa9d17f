/* SPDX-License-Identifier: BSD-2-Clause */
/* The program of a process in ring 3: an ELF file, which is input from outside. Ring 0 and the tool
 * check it alike; what was checked is loaded without a further look. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/elf.h"

/* Says what is wrong with a file of `size` bytes, to follow the name of what it is; NULL where it
 * is an image. It must be aligned to 8 bytes. Pure. */
const char *image_check(const void *file, uint64_t size);

/* Of an image: from its first page to the end of its last one, in bytes. */
uint64_t image_span(const void *file);

static inline const struct elf_segment *image_segments(const struct elf_header *header)
{
    return (const void *)((const uint8_t *)header + header->phoff);
}

/* Whether something of it belongs into memory. */
bool image_loads(const struct elf_segment *segment);
