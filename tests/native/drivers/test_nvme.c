/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver for NVM Express, with a simulated controller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "lib/bits.h"
#include "machine.h"
#include "nvme_device.h"
#include "simulated.h"

#define MS TSC_KHZ

static void new(void)
{
    machine_new(1, 0x2000);
    nvme_new();
}

static void starts(void **state)
{
    new ();
    assert_true(disk_start(&info, &disk));
    assert_int_equal(disk.sectors, MEDIUM_SECTORS);
    assert_int_equal(disk.flags, BLOCK_CAN_WRITE | BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO);
    assert_int_equal(disk.depth, DISK_DEPTH);
    assert_int_equal(disk.max_runs, DISK_RUNS);
    assert_true(disk.last_physical == UINT64_MAX);
    assert_string_equal(said, "");

    new ();
    nvme_device.oncs = 0;
    nvme_device.write_protected = true;
    assert_true(disk_start(&info, &disk));
    assert_int_equal(disk.flags, 0);
}

/* Requests of all kinds and shapes, by controllers that take little or much at once. */
static void works(void **state)
{
    static const struct {
        uint8_t mdts, stride;
        uint16_t last_entry;
        uint32_t largest;
    } kinds[] = {{0, 0, 2047, 0}, {1, 0, 63, 0x2000}, {4, 3, 9, 0x10000}, {15, 0, 1, 0}};

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        new ();
        nvme_device.mdts = kinds[i].mdts;
        nvme_device.cap = (nvme_device.cap & ~0xffffULL) | kinds[i].last_entry;
        nvme_device.cap |= (uint64_t)kinds[i].stride << 32;
        assert_true(disk_start(&info, &disk));
        assert_int_equal(disk.depth, min_u64(DISK_DEPTH, kinds[i].last_entry));
        machine_exercise(1000);
        assert_true(flushes > 50);
        assert_true(nvme_largest > PAGE_SIZE);
        if (kinds[i].largest != 0)
            assert_int_equal(nvme_largest, kinds[i].largest);
    }
}

/* Memory that one command can describe takes one, and each gap that it cannot takes one more. */
static void pieces(void **state)
{
    static const struct {
        struct disk_run runs[3];
        unsigned run_count, commands;
    } cases[] = {
        {{{0, 512}}, 1, 1},
        {{{512, 4096}}, 1, 1},
        {{{512, 3584}, {0x2000, 4096}, {0x8000, 512}}, 3, 1},
        {{{512, 512}, {0x2000, 512}}, 2, 2},
        {{{0, 4096}, {0x1200, 512}, {0x3000, 512}}, 3, 3},
        {{{0x1e00, 0x3200}, {0x6000, 0x1000}}, 2, 1},
    };
    struct disk_command c;

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        new ();
        assert_true(disk_start(&info, &disk));
        c = (struct disk_command){.op = BLOCK_READ, .run_count = cases[i].run_count};
        for (unsigned run = 0; run < c.run_count; run++) {
            c.runs[run] = cases[i].runs[run];
            c.runs[run].physical += MEMORY_PHYSICAL;
            c.sectors += c.runs[run].bytes / BLOCK_SECTOR;
        }
        command_submit(0, &c);
        machine_drain();
        command_check(0);
        assert_int_equal(nvme_commands, cases[i].commands);
    }
}

/* The controller's largest transfer, and a list's. */
static void long_run(void **state)
{
    static const struct {
        uint8_t mdts;
        uint32_t largest;
    } kinds[] = {{8, 0x100000}, {9, 0x200000}, {10, 0x200000}, {31, 0x200000}, {0, 0x200000}};
    struct disk_command c = {
        .op = BLOCK_READ,
        .sectors = DISK_DEPTH * REGION / BLOCK_SECTOR,
        .run_count = 1,
        .runs = {{.physical = MEMORY_PHYSICAL, .bytes = DISK_DEPTH * REGION}},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        new ();
        nvme_device.mdts = kinds[i].mdts;
        assert_true(disk_start(&info, &disk));
        assert_true(c.sectors <= disk.max_sectors);
        command_submit(0, &c);
        machine_drain();
        assert_int_equal(ended[0], GOOD);
        assert_int_equal(nvme_largest, kinds[i].largest);
        assert_memory_equal(machine_memory(MEMORY_PHYSICAL, c.runs[0].bytes), medium,
                            c.runs[0].bytes);
    }
}

/* A sector that cannot be read fails who wanted it, and nobody else. */
static void errors(void **state)
{
    struct disk_command c;

    new ();
    nvme_device.mdts = 1;
    assert_true(disk_start(&info, &disk));
    for (unsigned tag = 0; tag < disk.depth; tag++) {
        command_make(&c, tag, BLOCK_READ);
        if (tag == 7)
            bad_sector = c.sector + c.sectors / 2; /* behind the first piece */
        command_submit(tag, &c);
    }
    machine_drain();
    assert_int_equal(ended_count, disk.depth);
    for (unsigned tag = 0; tag < disk.depth; tag++)
        assert_int_equal(ended[tag], tag == 7 ? BAD : GOOD);
    bad_sector = UINT64_MAX;
    machine_exercise(500);
}

/* What runs already is stopped first, and forgets what it was told. */
static void predecessor(void **state)
{
    for (unsigned ready = 0; ready < 2; ready++) {
        new ();
        nvme_predecessor(ready);
        assert_true(disk_start(&info, &disk));
        assert_false(nvme_predecessor_lives());
        machine_exercise(100);
    }
    /* the process is started again, with commands under way */
    for (unsigned tag = 0; tag < disk.depth; tag++) {
        struct disk_command c;
        command_make(&c, tag, BLOCK_WRITE);
        command_submit(tag, &c);
    }
    machine_new(1, 0x2000);
    assert_true(disk_start(&info, &disk));
    device_work();
    disk_interrupt();
    assert_int_equal(ended_count, 0);
    machine_exercise(100);
}

/* A reset in the middle: nothing of before ends, and all goes on. */
static void resets(void **state)
{
    struct disk_command c;

    new ();
    assert_true(disk_start(&info, &disk));
    machine_exercise(100);
    ended_count = 0;
    for (unsigned tag = 0; tag < disk.depth; tag++) {
        command_make(&c, tag, BLOCK_READ);
        command_submit(tag, &c);
    }
    disk_reset();
    disk_interrupt();
    assert_int_equal(ended_count, 0);
    assert_int_not_equal(strlen(said), 0);
    machine_forget();
    nvme_post_nonsense(77); /* beyond all tags */
    nvme_post_nonsense(3);  /* one that is free */
    disk_interrupt();
    assert_int_equal(ended_count, 0);
    machine_exercise(500);

    nvme_device.never_ready = true;
    disk_reset();
    command_make(&c, 0, BLOCK_READ);
    assert_int_equal(disk_submit(0, &c), DISK_FAILED);
    disk_interrupt();
}

static void refuses(const char *why)
{
    uint64_t begin = now;

    assert_false(disk_start(&info, &disk));
    assert_non_null(strstr(said, why));
    assert_true(now - begin < 10000 * MS);
    disk_interrupt();
}

/* Each thing that makes a controller, or its disk, useless, and that it takes bounded time. */
static void useless(void **state)
{
    machine_new(0, 0);
    nvme_new();
    refuses("no controller");
    new ();
    nvme_device.cap = UINT64_MAX;
    refuses("does not answer");
    new ();
    nvme_device.cap &= ~(1ULL << 37);
    refuses("no NVM commands");
    new ();
    nvme_device.cap |= 1ULL << 48;
    refuses("pages of 4 KiB");
    new ();
    nvme_device.cap |= 15ULL << 32;
    refuses("window");
    new ();
    info.dma_size = 0x20000;
    refuses("DMA area");
    new ();
    nvme_device.lba_shift = 12;
    refuses("blocks are of 4096 bytes");
    new ();
    nvme_device.metadata = 8;
    refuses("with 8 of metadata");
    new ();
    nvme_device.blocks = 0;
    refuses("no namespace 1");
    new ();
    nvme_device.never_ready = true;
    refuses("does not get ready in 2000 ms");
    new ();
    nvme_device.fails = true;
    refuses("(CSTS 2)");
    new ();
    nvme_predecessor(true);
    nvme_device.never_stops = true;
    refuses("does not get ready");
    new ();
    nvme_device.silent = true;
    refuses("commands of its start");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts),   cmocka_unit_test(works),   cmocka_unit_test(pieces),
        cmocka_unit_test(long_run), cmocka_unit_test(errors),  cmocka_unit_test(predecessor),
        cmocka_unit_test(resets),   cmocka_unit_test(useless),
    };

    return cmocka_run_group_tests_name("nvme", tests, NULL, NULL);
}
