/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver for a PIIX's disk, whole, with a simulated one behind its ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/serve.h"
#include "machine.h"
#include "piix.h"
#include "table.h"

#define FIRST   2048u /* of client 0's partition */
#define SECTORS 1024u

static void start(void)
{
    serve_start(&process);
    machine_run();
    for (unsigned n = 0; n < CHANNELS; n++)
        client_open(n);
    piix.commands = piix.flushes = 0;
}

/* Client 2 has the whole disk, to read. */
static void set_up_disk(void)
{
    machine_new();
    piix_new();
    table_make(piix.data, PIIX_MEDIUM);
    table_add(piix.data, PIIX_MEDIUM, 0, FIRST, FIRST + SECTORS - 1, "lintel-0");
    table_add(piix.data, PIIX_MEDIUM, 1, 40, 47, "lintel-1");
    table_seal(piix.data, PIIX_MEDIUM);
    process.channels[2].label[0] = '\0';
    process.channels[2].read_only = 1;
}

static int set_up(void **state)
{
    set_up_disk();
    start();
    return 0;
}

static const uint8_t *sector_of(uint64_t sector)
{
    return piix.data + (FIRST + sector) * BLOCK_SECTOR;
}

static void test_start(void **state)
{
    assert_true(has_logged("disk 'Simulated PIIX disk', 2 MiB\n"));
    assert_int_equal(client_ask(0, request_of(BLOCK_INFO, 0, 0, 0), NULL), BLOCK_DONE);
    assert_int_equal(piix.resets, 1);
}

static void test_move(void **state)
{
    uint8_t written[BLOCK_SECTOR * 16];

    assert_int_equal(client_move(0, BLOCK_READ, 3, 8, 0x1000), BLOCK_DONE);
    assert_int_equal(piix.command, 0x25);
    assert_memory_equal(machine_guest(0, 0x1000), sector_of(3), 8 * BLOCK_SECTOR);
    for (unsigned i = 0; i < sizeof(written); i++)
        written[i] = (uint8_t)(i * 11 + i / 256);
    memcpy(machine_guest(0, GUEST_LOW - 0x1000), written, sizeof(written));
    assert_int_equal(client_move(0, BLOCK_WRITE, 1000, 16, GUEST_LOW - 0x1000), BLOCK_DONE);
    assert_int_equal(piix.command, 0x35);
    assert_int_equal(piix.pieces, 2); /* two extents */
    assert_memory_equal(sector_of(1000), written, sizeof(written));
}

/* A cache is flushed when the disk says so, and not when an interrupt of something else comes. */
static void test_flush(void **state)
{
    struct block_answer answer;

    assert_true(client_send(0, request_of(BLOCK_FLUSH, 1, 0, 0), NULL));
    machine_run();
    assert_int_equal(piix.command, 0xea);
    machine_raise(EVENT_INTERRUPT(0));
    machine_run();
    assert_false(client_receive(0, &answer));
    piix_work();
    assert_int_equal(piix.flushes, 1);
    machine_run();
    assert_true(client_receive(0, &answer));
    assert_int_equal(answer.status, BLOCK_DONE);
    piix.flush_fails = true;
    assert_true(client_send(0, request_of(BLOCK_FLUSH, 2, 0, 0), NULL));
    machine_run();
    piix_work();
    machine_run();
    assert_true(client_receive(0, &answer));
    assert_int_equal(answer.status, BLOCK_ERROR);
    assert_true(has_logged("the disk failed: flush"));
}

/* Nor does one that moves data end before the bus master says so. */
static void test_early(void **state)
{
    struct block_request request = request_of(BLOCK_READ, 1, 0, 8);
    uint64_t segment = BLOCK_SEGMENT(0, 8);
    struct block_answer answer;

    request.segment_count = 1;
    piix.silent = true;
    assert_true(client_send(0, request, &segment));
    machine_run();
    machine_raise(EVENT_INTERRUPT(0));
    machine_run();
    assert_false(client_receive(0, &answer));
    piix_work();
    machine_run();
    assert_true(client_receive(0, &answer));
    assert_int_equal(answer.status, BLOCK_DONE);
    assert_memory_equal(machine_guest(0, 0), sector_of(0), 8 * BLOCK_SECTOR);
}

/* Pieces cross no 64 KiB, nor are they more than that. */
static void test_pieces(void **state)
{
    assert_int_equal(client_move(0, BLOCK_READ, 0, GUEST_LOW / BLOCK_SECTOR, 0), BLOCK_DONE);
    assert_int_equal(piix.pieces, 1); /* of 64 KiB */
    assert_memory_equal(machine_guest(0, 0), sector_of(0), GUEST_LOW);
    /* all the bounce pages: their area begins at 0x4000 + 4 KiB + 32 KiB */
    assert_int_equal(client_move(0, BLOCK_READ, 1, 512, BLOCK_SEGMENT_BOUNCE), BLOCK_DONE);
    assert_int_equal(piix.pieces, 5);
    assert_memory_equal(area_of(0)->page, sector_of(1), 512 * BLOCK_SECTOR);
    assert_int_equal(piix.commands, 2);
}

static void test_lba28(void **state)
{
    set_up_disk();
    piix.lba48 = piix.flush_ext = false;
    start();
    assert_int_equal(client_move(0, BLOCK_READ, 0, 512, BLOCK_SEGMENT_BOUNCE), BLOCK_DONE);
    assert_int_equal(piix.command, 0xc8);
    assert_int_equal(piix.commands, 2);
    assert_int_equal(piix.count, 256);
    assert_memory_equal(area_of(0)->page, sector_of(0), 512 * BLOCK_SECTOR);
    assert_int_equal(client_move(0, BLOCK_WRITE, 5, 1, 0), BLOCK_DONE);
    assert_int_equal(piix.command, 0xca);
    assert_true(client_send(0, request_of(BLOCK_FLUSH, 1, 0, 0), NULL));
    machine_run();
    assert_int_equal(piix.command, 0xe7);
}

static void test_large(void **state)
{
    struct block_answer answer;

    set_up_disk();
    piix.sectors = 1ULL << 40 | 4096;
    process.channels[0].label[0] = process.channels[1].label[0] = '\0';
    start();
    assert_true(client_send(2, request_of(BLOCK_INFO, 1, 0, 0), NULL));
    machine_run();
    assert_true(client_receive(2, &answer));
    assert_int_equal(answer.value, piix.sectors);
    assert_int_equal(client_move(2, BLOCK_READ, 0x12345678abULL, 3, 0), BLOCK_DONE);
    assert_int_equal(piix.sector, 0x12345678abULL);
    assert_int_equal(piix.count, 3);
    assert_int_equal(client_move(2, BLOCK_READ, 1ULL << 40 | 77, 3, 0), BLOCK_DONE);
    assert_int_equal(piix.sector, 1ULL << 40 | 77);

    set_up_disk();
    piix.lba48 = piix.flush_ext = false;
    piix.sectors = (1 << 28) - 1;
    process.channels[0].label[0] = process.channels[1].label[0] = '\0';
    start();
    assert_int_equal(client_move(2, BLOCK_READ, 0xabcdef0, 3, 0), BLOCK_DONE);
    assert_int_equal(piix.sector, 0xabcdef0);
}

static void test_errors(void **state)
{
    piix.bad_sector = FIRST + 9;
    assert_int_equal(client_move(0, BLOCK_READ, 8, 4, 0), BLOCK_ERROR);
    piix.faults = true;
    assert_int_equal(client_move(0, BLOCK_READ, 8, 4, 0), BLOCK_ERROR);
    assert_int_equal(client_move(0, BLOCK_READ, 10, 4, 0), BLOCK_DONE);
    piix.faults = false;
    piix.ends_early = true;
    assert_int_equal(client_move(0, BLOCK_READ, 10, 4, 0), BLOCK_ERROR);
    assert_int_equal(client_move(0, BLOCK_WRITE, 10, 4, 0), BLOCK_ERROR);
    piix.ends_early = false;
    assert_int_equal(client_move(0, BLOCK_WRITE, 10, 4, 0), BLOCK_DONE);
    piix.bus_fails = true;
    assert_int_equal(client_move(0, BLOCK_READ, 10, 4, 0), BLOCK_ERROR);
    piix.bus_fails = false;
    assert_int_equal(piix.resets, 2);
    assert_int_equal(client_move(0, BLOCK_WRITE, 10, 4, 0), BLOCK_DONE);
    time_passes = true;
    piix.no_interrupt = true; /* the clock notices */
    assert_int_equal(client_move(0, BLOCK_READ, 10, 4, 0), BLOCK_DONE);
    piix.silent = true;
    assert_int_equal(client_move(0, BLOCK_READ, 10, 4, 0), BLOCK_ERROR);
    assert_int_equal(piix.resets, 3);
    piix.silent = false;
    assert_int_equal(client_move(0, BLOCK_READ, 10, 4, 0), BLOCK_DONE);
    piix.silent = piix.stays_busy = true; /* it does not come back */
    assert_int_equal(client_move(0, BLOCK_READ, 10, 4, 0), BLOCK_ERROR);
    assert_true(has_logged("does not come back from its reset"));
    assert_int_equal(client_move(0, BLOCK_READ, 10, 4, 0), BLOCK_ERROR);
    assert_int_equal(piix.resets, 4);
}

static void assert_no_disk(const char *words)
{
    start();
    assert_true(has_logged(words));
    assert_int_equal(client_ask(2, request_of(BLOCK_INFO, 1, 0, 0), NULL), BLOCK_NO_DEVICE);
    set_up_disk();
}

static void test_no_disk(void **state)
{
    set_up_disk();
    piix.absent = true;
    assert_no_disk("no disk answers at port 1f0h");
    piix.packet = true;
    assert_no_disk("no disk answers at port 1f0h");
    piix.stays_busy = true;
    assert_no_disk("no disk answers at port 1f0h");
    piix.no_dma = true;
    assert_no_disk("cannot be used: it has no DMA");
    piix.large_sectors = true;
    assert_no_disk("cannot be used: its sectors do not have 512 bytes");
    piix.sectors = 0;
    assert_no_disk("cannot be used: it does not say its size");
    process.ports[2].count = 0;
    assert_no_disk("was not granted an IDE controller");
    process.dma_size = 4096;
    assert_no_disk("was not granted an IDE controller");
}

/* The driver before this one had a command under way: it ends before the disk is used again. */
static void test_restart(void **state)
{
    static const uint8_t zero[BLOCK_SECTOR];

    memset(machine_guest(1, 0), 0, BLOCK_SECTOR);
    piix_predecessor(GUEST_PHYSICAL(1));
    machine_restart();
    serve_start(&process);
    piix_work();
    machine_run();
    assert_memory_equal(machine_guest(1, 0), zero, BLOCK_SECTOR);
    assert_int_equal(client_move(0, BLOCK_READ, 3, 8, 0x1000), BLOCK_DONE);
    assert_memory_equal(machine_guest(0, 0x1000), sector_of(3), 8 * BLOCK_SECTOR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_start, set_up),   cmocka_unit_test_setup(test_move, set_up),
        cmocka_unit_test_setup(test_flush, set_up),   cmocka_unit_test_setup(test_pieces, set_up),
        cmocka_unit_test_setup(test_early, set_up),   cmocka_unit_test_setup(test_lba28, set_up),
        cmocka_unit_test_setup(test_large, set_up),   cmocka_unit_test_setup(test_errors, set_up),
        cmocka_unit_test_setup(test_no_disk, set_up), cmocka_unit_test_setup(test_restart, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
