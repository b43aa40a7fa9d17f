/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_device nvme|ahci: a device file of drivers/ with QEMU's device. It is the same work as with
 * the simulated ones; what is wrong here is a difference between QEMU and what the driver, or its
 * simulated device, took from the specification.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "lib/bits.h"
#include "tests/native/drivers/machine.h"

#define DEVICE_NUMBER 4
#define BAD_SECTOR    5000 /* as in the words of blkdebug */

#define SOUND "if=none,id=d,format=raw,discard=unmap,file=disk"
#define BROKEN                                                                                     \
    "driver=raw,if=none,id=d,discard=unmap,file.driver=blkdebug,file.image.filename=disk,"         \
    "file.inject-error.0.event=none,file.inject-error.0.iotype=read,"                              \
    "file.inject-error.0.sector=5000,file.inject-error.0.once=off"

static const struct kind {
    const char *name;
    unsigned bar;
    unsigned depth;
    uint64_t window_size;
    const char *device[4];
} kinds[] = {
    {"nvme", 0, DISK_DEPTH, 0x4000, {"-device", "nvme,drive=d,serial=1,addr=4"}},
    {"ahci",
     5,
     1,
     0x1000,
     {"-device", "ich9-ahci,id=a,addr=4", "-device", "ide-hd,drive=d,bus=a.2"}},
};
static const struct kind *kind;

/* A new machine with the disk, which the driver has found. */
static void begin(const char *drive)
{
    const char *words[8] = {"-drive", drive};

    memcpy(words + 2, kind->device, sizeof(kind->device));
    device_start(words, DEVICE_NUMBER, kind->bar);
    machine_new(1, kind->window_size);
    assert_true(disk_start(&info, &disk));
}

static void submit_all(enum block_op op)
{
    struct disk_command c;

    for (unsigned tag = 0; tag < disk.depth; tag++) {
        command_make(&c, tag, op);
        command_submit(tag, &c);
    }
}

static void works(void **state)
{
    begin(SOUND);
    assert_int_equal(disk.sectors, MEDIUM_SECTORS);
    assert_int_equal(disk.depth, kind->depth);
    assert_true(disk.flags & BLOCK_CAN_WRITE);
    assert_true(disk.flags & BLOCK_CAN_DISCARD);
    assert_true(disk.last_physical == UINT64_MAX);
    machine_exercise(1500);
}

/* As much as one command takes, and more than the device takes at once. */
static void long_runs(void **state)
{
    struct disk_command c = {
        .sectors = MEMORY_SIZE / BLOCK_SECTOR,
        .run_count = 1,
        .runs = {{.physical = MEMORY_PHYSICAL, .bytes = MEMORY_SIZE}},
    };

    begin(SOUND);
    for (enum block_op op = BLOCK_READ; op <= BLOCK_WRITE; op++) {
        c.op = op;
        c.sector = (op - BLOCK_READ) * c.sectors;
        command_submit(0, &c);
        machine_drain();
        assert_int_equal(ended[0], GOOD);
        assert_memory_equal(machine_memory(MEMORY_PHYSICAL, MEMORY_SIZE), medium[c.sector],
                            MEMORY_SIZE);
    }
}

/* The process is started again, and then the device is reset, each with commands under way. */
static void again(void **state)
{
    begin(SOUND);
    submit_all(BLOCK_WRITE);
    machine_new(1, kind->window_size);
    assert_true(disk_start(&info, &disk));
    disk_interrupt();
    assert_int_equal(ended_count, 0);
    machine_exercise(200);

    submit_all(BLOCK_WRITE);
    disk_reset();
    disk_interrupt();
    machine_forget();
    machine_exercise(200);
}

/* A sector that cannot be read fails who wanted it, and nobody else. */
static void errors(void **state)
{
    struct disk_command c;
    bool wants[DISK_DEPTH];

    begin(BROKEN);
    for (unsigned round = 0; round < 40; round++) {
        machine_forget();
        for (unsigned tag = 0; tag < disk.depth; tag++) {
            command_make(&c, tag, BLOCK_READ);
            if (tag == round % (2 * disk.depth))
                c.sector = BAD_SECTOR - c.sectors / 2;
            wants[tag] = BAD_SECTOR - c.sector < c.sectors;
            command_submit(tag, &c);
        }
        machine_drain();
        for (unsigned tag = 0; tag < disk.depth; tag++)
            assert_int_equal(ended[tag], wants[tag] ? BAD : GOOD);
    }
}

static int end(void **state)
{
    device_end();
    return 0;
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(works, end),
        cmocka_unit_test_teardown(long_runs, end),
        cmocka_unit_test_teardown(again, end),
        cmocka_unit_test_teardown(errors, end),
    };
    char folder[] = "/tmp/lintel-qemu.XXXXXX";

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
        if (argc == 2 && strcmp(argv[1], kinds[i].name) == 0)
            kind = &kinds[i];
    if (kind == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 2;
    int failed = cmocka_run_group_tests_name(kind->name, tests, NULL, NULL);
    unlink("ram");
    unlink("disk");
    unlink("rom");
    rmdir(folder);
    return failed;
}
