/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in memory: the plan's file for this process, read-only; or, with a DMA area, copied on
 * write. The driver maps no guest, so that data moves through bounce pages alone.
 *
 * The DMA area begins with a word for each page of the file: 0, or the number of its copy, a page
 * of that area. Both outlive the process, should it be started again.
 */
#include <stddef.h>

#include "drivers/disk.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/io.h"
#include "runtime/log.h"

static const struct process_info *process;
static uint64_t next_copy, end_copy; /* pages of the DMA area */
static bool told_full;

static uint32_t *copy_of(uint64_t page)
{
    return (uint32_t *)PROCESS_DMA + page;
}

static uint8_t *area_page(uint64_t n)
{
    return (uint8_t *)PROCESS_DMA + n * PAGE_SIZE;
}

/* Sets the area up. False: it has no room for a copy. */
static bool start_copies(uint64_t pages)
{
    uint64_t size = process->dma_size < DISK_SERVER_DMA ? 0 : process->dma_size - DISK_SERVER_DMA;
    uint64_t table = align_up(pages * sizeof(uint32_t), PAGE_SIZE);

    if (size < table + PAGE_SIZE)
        return false;
    next_copy = table / PAGE_SIZE;
    end_copy = size / PAGE_SIZE;
    for (uint64_t page = 0; page < pages; page++)
        next_copy = max_u64(next_copy, *copy_of(page) + 1ULL);
    return true;
}

bool disk_start(const struct process_info *info, struct disk *disk)
{
    bool writable;

    process = info;
    disk->sectors = info->file_size / BLOCK_SECTOR;
    if (disk->sectors == 0) {
        log_line("the RAM disk has no file, or one without a whole sector");
        return false;
    }
    writable = start_copies(align_up(info->file_size, PAGE_SIZE) / PAGE_SIZE);
    disk->flags = BLOCK_NEEDS_BOUNCE | (writable ? BLOCK_CAN_WRITE : 0);
    disk->depth = 1;
    disk->max_runs = DISK_RUNS;
    disk->max_sectors = BLOCK_PAGES * PAGE_SIZE / BLOCK_SECTOR;
    disk->last_physical = UINT64_MAX;
    disk->memory = true;
    log_line("RAM disk, %lu KiB, %s", (unsigned long)(disk->sectors / 2),
             writable ? "copied where it is written" : "read-only");
    return true;
}

/* Where physical memory of a channel or of the DMA area is mapped. NULL: it is neither. */
static uint8_t *mapped(const struct disk_run *run)
{
    uint64_t at = run->physical - process->dma_physical;

    if (at < process->dma_size)
        return (uint8_t *)PROCESS_DMA + at;
    for (uint32_t n = 0; n < process->channel_count; n++) {
        at = run->physical - process->channels[n].physical;
        if (at < process->channels[n].size)
            return (uint8_t *)PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE + at;
    }
    return NULL;
}

/* The file's page as it is now. */
static const uint8_t *page_to_read(uint64_t page)
{
    if (end_copy != 0 && *copy_of(page) != 0)
        return area_page(*copy_of(page));
    return (const uint8_t *)PROCESS_FILE + page * PAGE_SIZE;
}

/* A copy of the page. NULL, after a line in the log the first time: there is no room. */
static uint8_t *page_to_write(uint64_t page)
{
    uint64_t size = min_u64(process->file_size - page * PAGE_SIZE, PAGE_SIZE);

    if (*copy_of(page) != 0)
        return area_page(*copy_of(page));
    if (next_copy >= end_copy) {
        if (!told_full)
            log_line("the RAM disk's memory is used up, writes fail: give it more");
        told_full = true;
        return NULL;
    }
    memcpy(area_page(next_copy), (const uint8_t *)PROCESS_FILE + page * PAGE_SIZE, size);
    io_fence(); /* a copy that is named is whole, whenever the process ends */
    *copy_of(page) = (uint32_t)next_copy++;
    return area_page(*copy_of(page));
}

/* Moves `bytes` between memory and the disk from offset on. False: there is no room. */
static bool move(enum block_op op, uint8_t *memory, uint64_t offset, uint32_t bytes)
{
    while (bytes > 0) {
        uint64_t page = offset / PAGE_SIZE, at = offset % PAGE_SIZE;
        uint32_t size = (uint32_t)min_u64(bytes, PAGE_SIZE - at);

        if (op == BLOCK_READ) {
            memcpy(memory, page_to_read(page) + at, size);
        } else {
            uint8_t *copy = page_to_write(page);

            if (!copy)
                return false;
            memcpy(copy + at, memory, size);
        }
        memory += size;
        offset += size;
        bytes -= size;
    }
    return true;
}

enum disk_submitted disk_submit(unsigned tag, const struct disk_command *command)
{
    uint64_t offset = command->sector * BLOCK_SECTOR;
    bool good = true;

    for (uint32_t i = 0; i < command->run_count && good; i++) {
        uint8_t *memory = mapped(&command->runs[i]);

        good = memory && move(command->op, memory, offset, command->runs[i].bytes);
        offset += command->runs[i].bytes;
    }
    return good ? DISK_DONE : DISK_FAILED;
}

void disk_interrupt(void)
{
}

void disk_reset(void)
{
}
