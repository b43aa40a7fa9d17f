/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM by pages and the kernel's page tables. */
#include "guests/lib/memory.h"

#include <stddef.h>

#include "guests/lib/cpu.h"
#include "guests/lib/tap.h"
#include "lib/multiboot2.h"
#include "lib/string.h"

/* Linux boot protocol, "The boot_params structure". */
#define BOOT_PARAMS_E820_COUNT 0x1e8
#define BOOT_PARAMS_E820       0x2d0
#define E820_RAM               1

#define PAGE_LARGE   0x080ULL
#define PAGE_ADDRESS 0x000ffffffffff000ULL

struct e820_entry {
    uint64_t start, size;
    uint32_t type;
} __attribute__((packed));

extern char image_end[];
extern uint64_t page_map[512];

static uint64_t next_page, end;

static void consider(const struct e820_entry *e)
{
    uint64_t here = (uintptr_t)image_end;

    if (e->type == E820_RAM && e->start <= here && here < e->start + e->size)
        end = e->start + e->size;
}

static void read_boot_params(uint64_t boot_params)
{
    unsigned count = *(const uint8_t *)(boot_params + BOOT_PARAMS_E820_COUNT);
    const struct e820_entry *e = (const void *)(boot_params + BOOT_PARAMS_E820);

    for (; count > 0; count--, e++)
        consider(e);
}

static void read_multiboot(uint64_t info)
{
    const struct multiboot_tag *tag = (const void *)(info + sizeof(*tag));

    for (; tag->type != MULTIBOOT_END;
         tag = (const void *)align_up((uintptr_t)tag + tag->size, 8)) {
        if (tag->type != MULTIBOOT_MEMORY)
            continue;
        const struct multiboot_memory *memory = (const void *)tag;
        for (uintptr_t at = (uintptr_t)(memory + 1); at < (uintptr_t)tag + tag->size;
             at += memory->entry_size)
            consider((const struct e820_entry *)at); /* it begins like E820's */
    }
}

void memory_init(uint64_t boot_params, uint64_t multiboot_info)
{
    next_page = align_up((uintptr_t)image_end, PAGE_SIZE);
    if (boot_params != 0)
        read_boot_params(boot_params);
    else
        read_multiboot(multiboot_info);
    if (end == 0)
        bail_out("the memory map does not contain the kernel");
}

uint64_t memory_end(void)
{
    return end;
}

void *page_alloc(void)
{
    if (next_page + PAGE_SIZE > end)
        bail_out("out of memory");
    void *page = memset((void *)next_page, 0, PAGE_SIZE);
    next_page += PAGE_SIZE;
    return page;
}

void map_page(uint64_t linear, uint64_t physical, uint64_t flags)
{
    uint64_t *table = page_map;

    for (unsigned shift = 39; shift > 12; shift -= 9) {
        uint64_t *entry = &table[linear >> shift & 511];
        if (*entry == 0 || (*entry & PAGE_LARGE))
            *entry = (uintptr_t)page_alloc() | PAGE_USER | PAGE_WRITE | PAGE_PRESENT;
        table = (uint64_t *)(*entry & PAGE_ADDRESS);
    }
    table[linear >> 12 & 511] = flags == 0 ? 0 : physical | flags | PAGE_PRESENT;
    invlpg(linear);
}
