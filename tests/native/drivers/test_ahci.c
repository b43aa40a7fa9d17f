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
    assert_int_equal(disk.depth, 1);
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

/* Requests of all kinds and shapes. */
static void works(void **state)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        new ();
        assert_true(disk_start(&info, &disk));
        ahci_device.racing = kind & 1;
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

/* Reads, and has the middle of it fail. */
static void fail_one(void)
{
    struct disk_command c;

    command_make(&c, 0, BLOCK_READ);
    bad_sector = c.sector + c.sectors / 2;
    command_submit(0, &c);
    machine_drain();
    assert_int_equal(ended[0], BAD);
    bad_sector = UINT64_MAX;
}

/* A sector that cannot be read fails who wanted it, and nobody else, whatever the HBA does then. */
static void errors(void **state)
{
    for (unsigned kind = 0; kind < 4; kind++) {
        new ();
        ahci_device.lenient = kind & 1;
        ahci_device.racing = kind & 2;
        assert_true(disk_start(&info, &disk));
        for (unsigned round = 1; round <= 20; round++) {
            fail_one();
            assert_int_equal(ahci_errors, round);
            machine_exercise(20);
        }
        assert_int_equal(ahci_resets, 1);
        disk_interrupt();
        assert_false(ahci_interrupts());
    }
}

/* A port that does not stop after an error is reset with the HBA. */
static void stuck(void **state)
{
    new ();
    assert_true(disk_start(&info, &disk));
    ahci_device.keeps_running = true;
    fail_one();
    assert_int_equal(ahci_resets, 2);
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
    assert_int_equal(disk_submit(0, &c), DISK_FAILED);
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
    info.dma_size = 0x1000;
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
        cmocka_unit_test(starts), cmocka_unit_test(works),   cmocka_unit_test(long_run),
        cmocka_unit_test(errors), cmocka_unit_test(stuck),   cmocka_unit_test(predecessor),
        cmocka_unit_test(resets), cmocka_unit_test(useless),
    };

    return cmocka_run_group_tests_name("ahci", tests, NULL, NULL);
}
