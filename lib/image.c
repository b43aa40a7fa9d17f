/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/image.h"

#include "abi/process.h"
#include "lib/bits.h"
#include "lib/string.h"

static bool header_valid(const struct elf_header *h, uint64_t size)
{
    return size >= sizeof(*h) && h->magic == ELF_MAGIC && h->class == ELF_CLASS_64 &&
           h->data == ELF_LITTLE && h->version == 1 && h->type == ELF_EXECUTABLE &&
           h->machine == ELF_X86_64 && h->phentsize == sizeof(struct elf_segment) &&
           is_aligned(h->phoff, sizeof(uint64_t)) && h->phoff <= size &&
           h->phnum <= (size - h->phoff) / sizeof(struct elf_segment);
}

/* W^X; and pages are no other segment's, so that each segment has memory of its own. */
static bool segment_valid(const struct elf_segment *s, uint64_t file_size, uint64_t end)
{
    return s->offset <= file_size && s->filesz <= file_size - s->offset && s->filesz <= s->memsz &&
           is_aligned(s->vaddr, PAGE_SIZE) && s->vaddr >= end && s->vaddr < PROCESS_IMAGE_END &&
           s->memsz < PROCESS_IMAGE_END - s->vaddr &&
           (s->flags & (ELF_W | ELF_X)) != (ELF_W | ELF_X);
}

bool image_loads(const struct elf_segment *s)
{
    return s->type == ELF_LOAD && s->memsz > 0;
}

const char *image_check(const void *file, uint64_t size)
{
    const struct elf_header *h = file;
    uint64_t start = 0, end = PROCESS_IMAGE_START;
    bool has_entry = false;

    if (!header_valid(h, size))
        return "is no 64-bit ELF executable";
    for (const struct elf_segment *s = image_segments(h), *last = s + h->phnum; s < last; s++) {
        if (!image_loads(s))
            continue;
        if (!segment_valid(s, size, end))
            return "has a segment that is damaged, writable code, not page-aligned or not behind "
                   "the one before it";
        if (start == 0)
            start = s->vaddr;
        end = align_up(s->vaddr + s->memsz, PAGE_SIZE);
        if (end - start > PROCESS_IMAGE_SPAN)
            return "takes more than 16 MiB of memory";
        has_entry |= s->flags & ELF_X && h->entry >= s->vaddr && h->entry - s->vaddr < s->memsz;
    }
    return has_entry ? NULL : "has no code at its entry";
}

uint64_t image_span(const void *file)
{
    const struct elf_header *h = file;
    uint64_t start = UINT64_MAX, end = 0;

    for (const struct elf_segment *s = image_segments(h), *last = s + h->phnum; s < last; s++)
        if (image_loads(s)) {
            start = min_u64(start, s->vaddr);
            end = align_up(s->vaddr + s->memsz, PAGE_SIZE);
        }
    return end - start;
}
