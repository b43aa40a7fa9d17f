/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/host_memory.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/layout.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"
#include "lib/string.h"

#define PML4_ENTRIES 512

extern const char image_start[], image_rodata[], image_data[], image_end[];

static uint64_t *root;
static uint64_t *window_entries; /* one for each CPU */

static void map_image(const char *start, const char *end, uint64_t flags)
{
    ASSERT(paging_map(root, (uint64_t)start, phys_of(start), (uint64_t)(end - start), flags));
}

void host_memory_init(uint64_t arena_start, uint64_t arena_size)
{
    root = arena_alloc(PAGE_SIZE);
    map_image(image_start, image_rodata, PAGING_G);
    map_image(image_rodata, image_data, PAGING_NX | PAGING_G);
    map_image(image_data, image_end, PAGING_W | PAGING_NX | PAGING_G);
    host_map(arena_start, arena_size, PAGING_W | PAGING_NX | PAGING_G);
    ASSERT(paging_map(root, WINDOW_BASE, 0, CPUS_MAX * PAGE_SIZE, PAGING_W | PAGING_NX));
    window_entries = radix_entry(root, WINDOW_BASE);
    memset(window_entries, 0, CPUS_MAX * sizeof(*window_entries));
    write_cr3(phys_of(root));
}

void *host_map(uint64_t phys, uint64_t size, uint64_t flags)
{
    uint64_t start = align_down(phys, PAGE_SIZE), end = align_up(phys + size, PAGE_SIZE);

    ASSERT(paging_map(root, PHYS_OFFSET + start, start, end - start, flags));
    return virt_of(phys);
}

volatile uint32_t *host_map_registers(uint64_t phys, uint64_t size)
{
    return host_map(phys, size, PAGING_W | PAGING_NX | PAGING_UC);
}

uint64_t *host_new_root(void)
{
    uint64_t *new = arena_alloc(PAGE_SIZE);

    memcpy(new + PML4_ENTRIES / 2, root + PML4_ENTRIES / 2, PML4_ENTRIES / 2 * sizeof(*new));
    return new;
}

void *window_open(uint64_t phys)
{
    uint32_t n = THIS_CPU(cpu_number);

    ASSERT(window_entries[n] == 0);
    window_entries[n] = align_down(phys, PAGE_SIZE) | ENTRY_P | ENTRY_RW | ENTRY_XD;
    return (void *)(WINDOW_BASE + n * PAGE_SIZE + phys % PAGE_SIZE);
}

void window_close(void)
{
    uint32_t n = THIS_CPU(cpu_number);

    window_entries[n] = 0;
    invlpg(WINDOW_BASE + n * PAGE_SIZE);
}

void window_clear(uint64_t phys, uint64_t size)
{
    for (uint64_t end = phys + size; phys < end; phys += PAGE_SIZE) {
        memset(window_open(phys), 0, PAGE_SIZE);
        window_close();
    }
}
