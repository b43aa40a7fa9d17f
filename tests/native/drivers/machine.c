/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "lib/bits.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "runtime/log.h"

struct process_info info;
struct disk disk;
uint8_t (*medium)[BLOCK_SECTOR];
char said[256];
enum ended ended[DISK_DEPTH];
unsigned ended_count;

static uint8_t (*memory)[REGION];
static uint8_t before[DISK_DEPTH][REGION];
static struct disk_command under_way[DISK_DEPTH];
static bool busy[DISK_DEPTH];
static uint32_t seed;

uint32_t machine_random(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

static void fill(void *at, size_t size)
{
    for (uint8_t *byte = at; size > 0; size--)
        *byte++ = (uint8_t)machine_random(256);
}

void machine_new(unsigned windows, uint64_t window_size)
{
    static uint8_t *dma;

    if (dma == NULL) {
        dma = device_map((void *)PROCESS_DMA, DMA_PHYSICAL, DMA_SIZE);
        memory = device_map(NULL, MEMORY_PHYSICAL, MEMORY_SIZE);
        medium = device_medium();
    }
    memset(dma, 0xa5, DMA_SIZE); /* what a process before left there */
    seed = 1;
    fill(medium, MEDIUM_SECTORS * BLOCK_SECTOR);
    fill(memory, MEMORY_SIZE);
    info = (struct process_info){.tsc_khz = TSC_KHZ,
                                 .window_count = windows,
                                 .dma_size = DMA_SIZE,
                                 .dma_physical = DMA_PHYSICAL};
    for (unsigned i = 0; i < windows; i++)
        info.windows[i].size = window_size;
    disk = (struct disk){0};
    machine_forget();
}

void machine_forget(void)
{
    said[0] = 0;
    ended_count = 0;
    memset(ended, 0, sizeof(ended));
    memset(busy, 0, sizeof(busy));
}

uint8_t *machine_memory(uint64_t physical, uint64_t size)
{
    if (physical >= DMA_PHYSICAL && physical + size <= DMA_PHYSICAL + DMA_SIZE - DISK_SERVER_DMA)
        return (uint8_t *)PROCESS_DMA + (physical - DMA_PHYSICAL);
    assert_true(physical >= MEMORY_PHYSICAL && physical + size <= MEMORY_PHYSICAL + MEMORY_SIZE);
    return memory[0] + (physical - MEMORY_PHYSICAL);
}

/* Runs of all lengths, on and off the pages' boundaries, with gaps and without. */
static void make_runs(struct disk_command *c, unsigned tag)
{
    uint32_t at = 0;
    unsigned most = machine_random(4) == 0 ? disk.max_runs : 6;

    while (c->run_count < most) {
        uint32_t bytes = (1 + machine_random(machine_random(3) == 0 ? 60 : 9)) * BLOCK_SECTOR;
        if (machine_random(2) == 0)
            at = (uint32_t)align_up(at, PAGE_SIZE);
        else if (machine_random(3) != 0)
            at += machine_random(9) * BLOCK_SECTOR;
        if (machine_random(2) == 0)
            bytes = (uint32_t)align_up(at + bytes, PAGE_SIZE) - at;
        if (at + bytes > REGION || c->sectors + bytes / BLOCK_SECTOR > AREA)
            return;
        c->runs[c->run_count++] =
            (struct disk_run){.physical = MEMORY_PHYSICAL + tag * REGION + at, .bytes = bytes};
        c->sectors += bytes / BLOCK_SECTOR;
        at += bytes;
    }
}

void command_make(struct disk_command *c, unsigned tag, enum block_op op)
{
    *c = (struct disk_command){.op = op};
    if (op == BLOCK_READ || op == BLOCK_WRITE)
        make_runs(c, tag);
    else if (op != BLOCK_FLUSH)
        c->sectors = 1 + machine_random(AREA);
    if (op != BLOCK_FLUSH)
        c->sector = tag * AREA + machine_random(AREA - c->sectors + 1);
}

void command_submit(unsigned tag, const struct disk_command *c)
{
    struct disk_command given = *c;

    assert_false(busy[tag]);
    busy[tag] = true;
    ended[tag] = NOT_YET;
    under_way[tag] = *c;
    memcpy(before[tag], memory[tag], REGION);
    assert_int_equal(disk_submit(tag, &given), DISK_UNDER_WAY);
    memset(&given, 0xff, sizeof(given)); /* it is not looked at again */
}

void disk_done(unsigned tag, bool good)
{
    assert_true(tag < disk.depth);
    assert_true(busy[tag]);
    busy[tag] = false;
    ended[tag] = good ? GOOD : BAD;
    ended_count++;
}

/* Whether sectors of the medium are all zero. */
static bool zero(uint64_t sector, uint32_t sectors)
{
    const uint8_t *at = medium[sector];

    return at[0] == 0 && memcmp(at, at + 1, (size_t)sectors * BLOCK_SECTOR - 1) == 0;
}

void command_check(unsigned tag)
{
    const struct disk_command *c = &under_way[tag];
    uint64_t sector = c->sector;

    assert_int_equal(ended[tag], GOOD);
    if (c->op == BLOCK_ZERO || c->op == BLOCK_DISCARD)
        assert_true(zero(c->sector, c->sectors));
    for (unsigned i = 0; i < c->run_count; i++) {
        uint8_t *at = machine_memory(c->runs[i].physical, c->runs[i].bytes);
        assert_memory_equal(at, medium[sector], c->runs[i].bytes);
        if (c->op == BLOCK_READ) /* what is left must be as it was */
            memcpy(at, &before[tag][at - memory[tag]], c->runs[i].bytes);
        sector += c->runs[i].bytes / BLOCK_SECTOR;
    }
    assert_memory_equal(memory[tag], before[tag], REGION);
}

/* A tag that can take a command, or disk.depth. */
static unsigned free_tag(void)
{
    for (unsigned i = 0, tag = machine_random(disk.depth); i < disk.depth; i++)
        if (!busy[(tag + i) % disk.depth])
            return (tag + i) % disk.depth;
    return disk.depth;
}

static enum block_op any_op(void)
{
    enum block_op op = machine_random(BLOCK_OP_COUNT);

    if (op == BLOCK_INFO || (op == BLOCK_DISCARD && !(disk.flags & BLOCK_CAN_DISCARD)) ||
        (op == BLOCK_ZERO && !(disk.flags & BLOCK_CAN_ZERO)))
        return BLOCK_READ;
    return op;
}

/* Has the device work, and looks at what has ended. */
static void look(void)
{
    bool was[DISK_DEPTH];

    memcpy(was, busy, sizeof(was));
    device_work();
    disk_interrupt();
    for (unsigned tag = 0; tag < disk.depth; tag++)
        if (was[tag] && !busy[tag])
            command_check(tag);
}

void machine_exercise(unsigned commands)
{
    struct disk_command c;

    for (unsigned i = 0; i < commands; i++) {
        unsigned tag = free_tag();
        while (tag == disk.depth || machine_random(3) == 0) {
            look();
            tag = free_tag();
        }
        command_make(&c, tag, any_op());
        command_submit(tag, &c);
    }
    for (unsigned tag = 0; tag < disk.depth; tag++)
        while (busy[tag])
            look();
}

void machine_drain(void)
{
    for (unsigned tag = 0; tag < disk.depth; tag++)
        while (busy[tag]) {
            device_work();
            disk_interrupt();
        }
}

void log_line(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
}

uint32_t mmio_read32(const volatile void *address)
{
    uint64_t offset = (uintptr_t)address - PROCESS_WINDOW;
    unsigned window = (unsigned)(offset / PROCESS_WINDOW_STRIDE);

    offset %= PROCESS_WINDOW_STRIDE;
    assert_true(window < info.window_count && offset + 4 <= info.windows[window].size);
    return device_read(window, offset);
}

void mmio_write32(volatile void *address, uint32_t value)
{
    uint64_t offset = (uintptr_t)address - PROCESS_WINDOW;
    unsigned window = (unsigned)(offset / PROCESS_WINDOW_STRIDE);

    offset %= PROCESS_WINDOW_STRIDE;
    assert_true(window < info.window_count && offset + 4 <= info.windows[window].size);
    device_write(window, offset, value);
}

void io_fence(void)
{
}
