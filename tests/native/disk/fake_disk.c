/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"

struct fake_disk fake;

static bool ended[DISK_DEPTH], good[DISK_DEPTH];

void fake_new(void)
{
    memset(&fake, 0, sizeof(fake));
    memset(ended, 0, sizeof(ended));
    fake.is = (struct disk){.sectors = FAKE_SECTORS,
                            .flags = BLOCK_CAN_WRITE | BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO,
                            .depth = 4,
                            .max_runs = 8,
                            .max_sectors = 16,
                            .last_physical = UINT64_MAX};
    fake.bad_sector = UINT64_MAX;
}

unsigned fake_under_way(void)
{
    unsigned count = 0;

    for (unsigned tag = 0; tag < DISK_DEPTH; tag++)
        count += fake.under_way[tag];
    return count;
}

bool disk_start(const struct process_info *info, struct disk *disk)
{
    assert_int_equal(disk->sectors, 0);
    fake.started++;
    memset(fake.under_way, 0, sizeof(fake.under_way));
    memset(ended, 0, sizeof(ended));
    *disk = fake.is;
    return !fake.absent;
}

static void check(const struct disk_command *c)
{
    uint64_t bytes = 0;

    assert_true(c->run_count <= fake.is.max_runs && c->sectors <= fake.is.max_sectors);
    if (c->op == BLOCK_FLUSH) {
        assert_int_equal(c->run_count + c->sectors, 0);
        return;
    }
    assert_true(c->sectors > 0 && c->sector < fake.is.sectors);
    assert_true(c->sectors <= fake.is.sectors - c->sector);
    for (uint32_t i = 0; i < c->run_count; i++) {
        assert_true(c->runs[i].bytes > 0);
        assert_int_equal((c->runs[i].bytes | c->runs[i].physical) % BLOCK_SECTOR, 0);
        assert_true(c->runs[i].physical + c->runs[i].bytes - 1 <= fake.is.last_physical);
        machine_memory(c->runs[i].physical, c->runs[i].bytes);
        bytes += c->runs[i].bytes;
    }
    assert_int_equal(bytes, c->op <= BLOCK_WRITE ? c->sectors * BLOCK_SECTOR : 0);
}

static bool work(const struct disk_command *c)
{
    uint8_t *data;

    if (c->op == BLOCK_FLUSH)
        return true;
    data = fake.data + c->sector * BLOCK_SECTOR;
    if (fake.bad_sector - c->sector < c->sectors)
        return false;
    if (c->op == BLOCK_ZERO || c->op == BLOCK_DISCARD)
        memset(data, 0, c->sectors * BLOCK_SECTOR);
    for (uint32_t i = 0; i < c->run_count; i++) {
        uint8_t *memory = machine_memory(c->runs[i].physical, c->runs[i].bytes);

        memcpy(c->op == BLOCK_READ ? memory : data, c->op == BLOCK_READ ? data : memory,
               c->runs[i].bytes);
        data += c->runs[i].bytes;
    }
    return true;
}

void fake_end(unsigned tag)
{
    assert_true(fake.under_way[tag]);
    if (ended[tag])
        return;
    good[tag] = work(&fake.command[tag]);
    ended[tag] = true;
    if (!fake.silent)
        machine_raise(EVENT_INTERRUPT(0));
}

enum disk_submitted disk_submit(unsigned tag, const struct disk_command *command)
{
    assert_true(tag < fake.is.depth && !fake.under_way[tag]);
    check(command);
    assert_true(fake.count < FAKE_LOG);
    fake.log[fake.count++] = *command;
    if (fake.refuses)
        return DISK_FAILED;
    fake.under_way[tag] = true;
    fake.command[tag] = *command;
    if (!fake.holds)
        fake_end(tag);
    return DISK_UNDER_WAY;
}

void disk_interrupt(void)
{
    for (unsigned tag = 0; tag < DISK_DEPTH; tag++) {
        if (!ended[tag])
            continue;
        ended[tag] = fake.under_way[tag] = false;
        disk_done(tag, good[tag]);
        disk_done(tag, good[tag]); /* a device may say it twice */
    }
}

void disk_reset(void)
{
    fake.resets++;
    memset(fake.under_way, 0, sizeof(fake.under_way));
    memset(ended, 0, sizeof(ended));
}
