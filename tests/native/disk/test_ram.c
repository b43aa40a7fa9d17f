/* SPDX-License-Identifier: BSD-2-Clause */
/* The RAM disk, whole: read-only, and copied where it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "drivers/serve.h"
#include "machine.h"
#include "table.h"

#define FILE_SIZE  0x18000u /* 24 pages */
#define FILE_PAGES (FILE_SIZE / 4096)
#define BOUNCE     BLOCK_SEGMENT_BOUNCE

static uint8_t *file;

/* The file's pages are read-only, as ring 0 maps them, once it is filled. */
static void set_up_disk(uint64_t dma)
{
    machine_new();
    file = mmap((void *)PROCESS_FILE, FILE_SIZE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    assert_ptr_equal(file, (void *)PROCESS_FILE);
    for (unsigned i = 0; i < FILE_SIZE; i++)
        file[i] = (uint8_t)(i + i / 4096 * 3);
    process.file_size = FILE_SIZE;
    process.dma_size = dma;
    process.interrupt_count = 0;
    for (unsigned n = 0; n < CHANNELS; n++)
        process.channels[n].label[0] = '\0';
}

static void start(void)
{
    assert_int_equal(mprotect(file, FILE_SIZE, PROT_READ), 0);
    serve_start(&process);
    machine_run();
    for (unsigned n = 0; n < CHANNELS; n++)
        client_open(n);
}

static struct block_answer info_of(unsigned n)
{
    struct block_answer answer;

    assert_true(client_send(n, request_of(BLOCK_INFO, 9, 0, 0), NULL));
    machine_run();
    assert_true(client_receive(n, &answer));
    return answer;
}

static void test_read_only(void **state)
{
    set_up_disk(0);
    start();
    assert_int_equal(info_of(0).status, BLOCK_DONE);
    assert_int_equal(info_of(0).flags, BLOCK_NEEDS_BOUNCE);
    assert_int_equal(info_of(0).value, FILE_SIZE / BLOCK_SECTOR);
    assert_true(has_logged("RAM disk, 96 KiB, read-only"));
    assert_int_equal(client_move(0, BLOCK_READ, 5, 20, BOUNCE | 0x1000), BLOCK_DONE);
    assert_memory_equal(area_of(0)->page[1], file + 5 * BLOCK_SECTOR, 20 * BLOCK_SECTOR);
    assert_int_equal(client_move(0, BLOCK_READ, 0, 1, 0), BLOCK_INVALID);
    assert_int_equal(client_move(0, BLOCK_WRITE, 0, 1, BOUNCE), BLOCK_REFUSED);
    assert_int_equal(client_ask(0, request_of(BLOCK_FLUSH, 3, 0, 0), NULL), BLOCK_DONE);
    assert_int_equal(client_move(0, BLOCK_READ, FILE_SIZE / 512 - 1, 2, BOUNCE), BLOCK_INVALID);
}

static void write_sector(unsigned n, uint64_t sector, uint8_t byte)
{
    memset(area_of(n)->page[2], byte, BLOCK_SECTOR);
    assert_int_equal(client_move(n, BLOCK_WRITE, sector, 1, BOUNCE | 0x2000), BLOCK_DONE);
}

static uint8_t read_byte(unsigned n, uint64_t sector, unsigned at)
{
    assert_int_equal(client_move(n, BLOCK_READ, sector, 1, BOUNCE | 0x3000), BLOCK_DONE);
    return area_of(n)->page[3][at];
}

/* What is written is there, what is not stays the file's, for all clients and after a restart. */
static void test_copies(void **state)
{
    uint8_t expected[FILE_SIZE];

    set_up_disk((FILE_PAGES + 2) * 4096);
    memcpy(expected, file, FILE_SIZE);
    process.channels[1].read_only = 1;
    start();
    assert_int_equal(info_of(0).flags, BLOCK_NEEDS_BOUNCE | BLOCK_CAN_WRITE);
    assert_int_equal(info_of(1).flags, BLOCK_NEEDS_BOUNCE);
    write_sector(0, 9, 0x11);
    write_sector(0, 10, 0x22);
    assert_int_equal(read_byte(1, 9, 511), 0x11);
    assert_int_equal(read_byte(1, 10, 0), 0x22);
    assert_int_equal(read_byte(1, 8, 3), expected[8 * 512 + 3]);
    assert_int_equal(read_byte(1, 11, 3), expected[11 * 512 + 3]);
    for (unsigned i = 0; i < 30; i++)
        area_of(0)->page[i / 8][i % 8 * 512] = (uint8_t)(0x80 + i);
    assert_int_equal(client_move(0, BLOCK_WRITE, 20, 30, BOUNCE), BLOCK_DONE);
    machine_restart();
    start();
    assert_int_equal(read_byte(0, 9, 511), 0x11);
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(read_byte(0, 20 + i, 0), 0x80 + i);
    for (unsigned i = 0; i < FILE_SIZE / BLOCK_SECTOR; i++) /* each page has room */
        write_sector(0, i, (uint8_t)i);
    for (unsigned i = 0; i < FILE_SIZE / BLOCK_SECTOR; i++)
        assert_int_equal(read_byte(0, i, 77), (uint8_t)i);
    assert_memory_equal(file, expected, FILE_SIZE);
    assert_false(has_logged("used up"));
}

static void test_used_up(void **state)
{
    set_up_disk(5 * 4096); /* the table, three copies, the server's page */
    start();
    for (unsigned page = 0; page < 3; page++)
        write_sector(0, page * 8, 0x33);
    assert_int_equal(client_move(0, BLOCK_WRITE, 30, 1, BOUNCE), BLOCK_ERROR);
    assert_int_equal(client_move(0, BLOCK_WRITE, 40, 1, BOUNCE), BLOCK_ERROR);
    assert_int_equal(lines_logged("memory is used up, writes fail: give it more"), 1);
    write_sector(0, 17, 0x44);
    assert_int_equal(read_byte(0, 16, 0), 0x33);
    assert_int_equal(read_byte(0, 30, 5), file[30 * 512 + 5]);
    set_up_disk(2 * 4096);
    start();
    assert_true(has_logged("read-only"));
}

static void test_partitions(void **state)
{
    set_up_disk(DMA_SIZE);
    table_make(file, FILE_SIZE / 512);
    table_add(file, FILE_SIZE / 512, 0, 40, 49, "lintel-0");
    table_add(file, FILE_SIZE / 512, 1, 50, 59, "other");
    table_seal(file, FILE_SIZE / 512);
    strcpy(process.channels[0].label, "lintel-0");
    strcpy(process.channels[1].label, "other");
    start();
    write_sector(0, 3, 0x55);
    assert_int_equal(read_byte(2, 43, 9), 0x55);
    assert_int_equal(client_move(1, BLOCK_WRITE, 0, 1, BOUNCE), BLOCK_REFUSED);
    assert_int_equal(read_byte(1, 0, 9), file[50 * 512 + 9]);
}

static void test_no_file(void **state)
{
    set_up_disk(DMA_SIZE);
    process.file_size = 511;
    start();
    assert_true(has_logged("no file"));
    assert_int_equal(info_of(0).status, BLOCK_NO_DEVICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_only), cmocka_unit_test(test_copies),
        cmocka_unit_test(test_used_up),   cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
