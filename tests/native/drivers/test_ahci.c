/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver for AHCI, with a simulated HBA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "ahci_device.h"
#include "lib/bits.h"
#include "machine.h"
#include "simulated.h"

#define MS TSC_KHZ

static void new(void)
{
    machine_new(2, 0x1000);
    ahci_new();
}

static void starts(void **state)
{
    new ();
    assert_true(disk_start(&info, &disk));
    assert_int_equal(disk.sectors, MEDIUM_SECTORS);
    assert_int_equal(disk.flags, BLOCK_CAN_WRITE | BLOCK_CAN_DISCARD);
    assert_int_equal(disk.depth, DISK_DEPTH);
    assert_int_equal(disk.max_runs, DISK_RUNS);
    assert_true(disk.last_physical == UINT64_MAX);
    assert_string_equal(said, "");
    disk_interrupt();
    assert_false(ahci_interrupts());

    new ();
    ahci_device.cap &= ~(uint32_t)BIT(31);
    ahci_device.word169 = 0;
    assert_true(disk_start(&info, &disk));
    assert_int_equal(disk.flags, BLOCK_CAN_WRITE);
    assert_true(disk.last_physical == UINT32_MAX);
}

/* Requests of all kinds and shapes, by HBAs with all slots or few. */
static void works(void **state)
{
    static const unsigned slots[] = {32, 5, 1};

    for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
        new ();
        ahci_device.cap = (ahci_device.cap & ~0x1f00u) | (slots[i] - 1) << 8;
        assert_true(disk_start(&info, &disk));
        assert_int_equal(disk.depth, slots[i]);
        ahci_device.racing = i & 1;
        machine_exercise(1000);
        assert_true(flushes > 50);
        disk_interrupt();
        assert_false(ahci_interrupts());
    }
}

/* A run that is longer than what one PRDT entry holds. */
static void long_run(void **state)
{
    struct disk_command c = {
        .op = BLOCK_READ,
        .sectors = DISK_DEPTH * REGION / BLOCK_SECTOR,
        .run_count = 1,
        .runs = {{.physical = MEMORY_PHYSICAL, .bytes = DISK_DEPTH * REGION}},
    };

    new ();
    assert_true(disk_start(&info, &disk));
    assert_true(c.sectors <= disk.max_sectors);
    disk_interrupt(); /* of IDENTIFY DEVICE */
    command_submit(0, &c);
    while (!ahci_interrupts())
        device_work();
    disk_interrupt();
    assert_int_equal(ended[0], GOOD);
    assert_int_equal(ahci_prds, 2);
    assert_memory_equal(machine_memory(MEMORY_PHYSICAL, c.runs[0].bytes), medium, c.runs[0].bytes);
}

/* A sector that cannot be read fails who wanted it, and nobody else, whatever the HBA does then. */
static void errors(void **state)
{
    struct disk_command c;

    for (unsigned kind = 0; kind < 40; kind++) {
        new ();
        ahci_device.lenient = kind & 1;
        ahci_device.racing = kind & 2;
        assert_true(disk_start(&info, &disk));
        for (unsigned tag = 0; tag < disk.depth; tag++) {
            command_make(&c, tag, BLOCK_READ);
            if (tag == kind % disk.depth)
                bad_sector = c.sector + c.sectors / 2;
            command_submit(tag, &c);
        }
        machine_drain();
        assert_int_equal(ended_count, disk.depth);
        for (unsigned tag = 0; tag < disk.depth; tag++)
            assert_int_equal(ended[tag], tag == kind % disk.depth ? BAD : GOOD);
        assert_true(ahci_errors <= 2); /* among others, and alone */
        assert_int_equal(ahci_resets, 1);
        disk_interrupt();
        assert_false(ahci_interrupts());
    }
    bad_sector = UINT64_MAX;
    machine_exercise(500);
}

/* While commands are issued one at a time, new ones wait for their turn. */
static void error_and_more(void **state)
{
    struct disk_command c;

    new ();
    assert_true(disk_start(&info, &disk));
    for (unsigned tag = 0; tag < disk.depth; tag++) {
        command_make(&c, tag, BLOCK_READ);
        if (tag == 3)
            bad_sector = c.sector;
        if (tag < disk.depth / 2)
            command_submit(tag, &c);
    }
    while (ended[3] != BAD) {
        device_work();
        disk_interrupt();
    }
    for (unsigned tag = disk.depth / 2; tag < disk.depth; tag++) {
        command_make(&c, tag, BLOCK_WRITE);
        command_submit(tag, &c);
    }
    machine_drain();
    for (unsigned tag = 0; tag < disk.depth; tag++)
        if (tag != 3)
            assert_int_equal(ended[tag], GOOD);
}

/* A port that does not stop after an error is reset with the HBA, and its commands have failed. */
static void stuck(void **state)
{
    struct disk_command c;

    new ();
    assert_true(disk_start(&info, &disk));
    for (unsigned tag = 0; tag < disk.depth; tag++) {
        command_make(&c, tag, BLOCK_READ);
        command_submit(tag, &c);
        bad_sector = c.sector;
    }
    ahci_device.keeps_running = true;
    machine_drain();
    assert_int_equal(ended_count, disk.depth);
    assert_int_equal(ended[disk.depth - 1], BAD);
    assert_int_equal(ahci_resets, 2);
    bad_sector = UINT64_MAX;
    machine_exercise(100);
}

static void predecessor(void **state)
{
    new ();
    ahci_predecessor();
    assert_true(disk_start(&info, &disk));
    assert_false(ahci_predecessor_lives());
    machine_exercise(100);
    /* the process is started again, with commands under way */
    for (unsigned tag = 0; tag < disk.depth; tag++) {
        struct disk_command c;
        command_make(&c, tag, BLOCK_WRITE);
        command_submit(tag, &c);
    }
    machine_new(2, 0x1000);
    assert_true(disk_start(&info, &disk));
    device_work();
    disk_interrupt();
    assert_int_equal(ended_count, 0);
    machine_exercise(100);
}

/* A reset in the middle: nothing of before ends, and all goes on; but not with another disk. */
static void resets(void **state)
{
    struct disk_command c;

    new ();
    assert_true(disk_start(&info, &disk));
    machine_exercise(100);
    machine_forget();
    for (unsigned tag = 0; tag < disk.depth; tag++) {
        command_make(&c, tag, BLOCK_READ);
        command_submit(tag, &c);
    }
    disk_reset();
    device_work();
    disk_interrupt();
    assert_int_equal(ended_count, 0);
    assert_int_not_equal(strlen(said), 0);
    machine_forget();
    machine_exercise(500);

    ahci_device.serial_number++;
    disk_reset();
    assert_string_equal(said, "there is another disk now");
    command_make(&c, 0, BLOCK_READ);
    assert_false(disk_submit(0, &c));
    disk_interrupt();
}

static void refuses(const char *why)
{
    uint64_t begin = now;

    assert_false(disk_start(&info, &disk));
    assert_non_null(strstr(said, why));
    assert_true(now - begin < 40000 * MS);
    disk_interrupt();
}

/* Each thing that makes an HBA, or its disk, useless, and that it takes bounded time. */
static void useless(void **state)
{
    machine_new(0, 0);
    ahci_new();
    refuses("no controller");
    machine_new(2, 0x100);
    ahci_new();
    refuses("no controller");
    new ();
    info.dma_size = 0x8000;
    refuses("DMA area");
    new ();
    ahci_device.cap = UINT32_MAX;
    refuses("does not answer");
    new ();
    ahci_device.never_resets = true;
    refuses("does not end its reset");
    new ();
    ahci_device.no_disk = true;
    refuses("no port has a disk");
    machine_new(2, 0x200); /* port 2 is not in the window */
    ahci_new();
    refuses("no port has a disk");
    new ();
    ahci_device.stays_busy = true;
    refuses("no port has a disk");
    new ();
    ahci_device.silent = true;
    refuses("does not say what it is");
    new ();
    ahci_device.word83 = 0x7000;
    refuses("48-bit");
    new ();
    ahci_device.word106 = 0x7003;
    refuses("512 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts),      cmocka_unit_test(works),          cmocka_unit_test(long_run),
        cmocka_unit_test(errors),      cmocka_unit_test(error_and_more), cmocka_unit_test(stuck),
        cmocka_unit_test(predecessor), cmocka_unit_test(resets),         cmocka_unit_test(useless),
    };

    return cmocka_run_group_tests_name("ahci", tests, NULL, NULL);
}
