/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/arena.h"

#include "hypervisor/cpu/layout.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"
#include "lib/radix.h"
#include "lib/string.h"

static uint64_t image_phys;
static uint64_t next, end;
static uint64_t next_frame, frames_end;

void arena_set_image(uint64_t phys)
{
    image_phys = phys;
}

void arena_init(uint64_t start, uint64_t size, uint64_t frames)
{
    next = start;
    end = next_frame = start + size;
    frames_end = next_frame + frames * PAGE_SIZE;
}

uint64_t arena_frame(void)
{
    ASSERT(next_frame < frames_end);
    next_frame += PAGE_SIZE;
    return next_frame - PAGE_SIZE;
}

void *arena_alloc(size_t size)
{
    size = align_up(size, PAGE_SIZE);
    uint64_t at = __atomic_fetch_add(&next, size, __ATOMIC_RELAXED);
    ASSERT(size <= end - at);
    return memset(virt_of(at), 0, size);
}

void *table_page(void)
{
    return next < end ? arena_alloc(PAGE_SIZE) : NULL;
}

uint64_t phys_of(const void *virt)
{
    uint64_t address = (uint64_t)virt;

    return address >= IMAGE_BASE ? address - IMAGE_BASE + image_phys : address - PHYS_OFFSET;
}

void *virt_of(uint64_t phys)
{
    return (void *)(PHYS_OFFSET + phys);
}
