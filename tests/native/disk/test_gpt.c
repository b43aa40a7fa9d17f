/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The partition table: a good one, each kind of damage, and tables that chance has damaged. With an
 * argument it does only the last, for so many seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "drivers/gpt.h"
#include "table.h"

#define SECTORS  512u
#define ENTRY(n) (disk + 1024 + (n) * 128)
#define HEADER   (disk + 512)
#define BACKUP   (disk + (SECTORS - 1) * 512)

static uint8_t disk[SECTORS * 512];
static uint64_t size = SECTORS; /* what the disk says */
static uint64_t unreadable;     /* a sector that is; UINT64_MAX: none */
static struct gpt gpt;

/* The memory of a sector is as large as it and not larger, and is gone at the next call. */
static const uint8_t *read_sector(uint64_t sector)
{
    static uint8_t *last;

    free(last);
    last = NULL;
    assert_true(sector < size && sector < SECTORS);
    if (sector == unreadable)
        return NULL;
    last = malloc(512);
    memcpy(last, disk + sector * 512, 512);
    return last;
}

static const char *load(void)
{
    return gpt_load(&gpt, size, read_sector);
}

static void make(void)
{
    size = SECTORS;
    unreadable = UINT64_MAX;
    memset(disk, 0x5a, sizeof(disk));
    table_make(disk, SECTORS);
    table_add(disk, SECTORS, 0, 34, 99, "lintel-web");
    table_add(disk, SECTORS, 1, 100, 100, "EFI System Partition");
    table_add(disk, SECTORS, 127, 300, SECTORS - 34, "lintel-of-thirty-six-characters-more");
    table_seal(disk, SECTORS);
}

static void test_good(void **state)
{
    const char *error;
    const struct gpt_partition *p;

    assert_int_equal(table_crc("123456789", 9), 0xcbf43926);
    make();
    assert_null(load());
    assert_null(gpt.damage);
    assert_int_equal(gpt.count, 3);
    p = gpt_find(&gpt, "lintel-web", &error);
    assert_non_null(p);
    assert_int_equal(p->first, 34);
    assert_int_equal(p->sectors, 66);
    p = gpt_find(&gpt, "EFI System Partition", &error);
    assert_int_equal(p->first, 100);
    assert_int_equal(p->sectors, 1);
    p = gpt_find(&gpt, "lintel-of-thirty-six-characters-more", &error);
    assert_int_equal(p->first + p->sectors - 1, SECTORS - 34);
    assert_null(gpt_find(&gpt, "lintel-we", &error));
    assert_string_equal(error, "no partition has this label");
}

static void test_names(void **state)
{
    const char *error;

    make();
    table_add(disk, SECTORS, 2, 101, 110, "lintel-web");
    ENTRY(1)[ENTRY_NAME] = 0xe9; /* é */
    ENTRY(1)[ENTRY_NAME + 3] = 0x01;
    table_seal(disk, SECTORS);
    assert_null(load());
    assert_null(gpt_find(&gpt, "lintel-web", &error));
    assert_string_equal(error, "two partitions have this label");
    assert_non_null(gpt_find(&gpt, "??I System Partition", &error));
}

/* Larger entries than today's, of which the first 128 bytes are known. */
static void test_large_entries(void **state)
{
    for (uint32_t entry = 256; entry <= 4096; entry *= 2) {
        make();
        memset(disk + 1024, 0xff, 32 * 512); /* what else is in an entry says nothing */
        for (unsigned n = 0; n < 4; n++) {
            table_add(disk, SECTORS, n, 40 + 10 * n, 49 + 10 * n, "lintel-x");
            memmove(disk + 1024 + (3 - n) * entry, ENTRY(n), 128);
            if ((3 - n) * entry != n * 128)
                memset(ENTRY(n), 0xff, 128);
        }
        put32(HEADER + HEADER_ENTRY_COUNT, 4);
        put32(HEADER + HEADER_ENTRY_SIZE, entry);
        table_seal(disk, SECTORS);
        assert_null(load());
        assert_null(gpt.damage);
        assert_int_equal(gpt.count, 4);
    }
}

/* A field of both tables gets a value, and the checksums are made right again. */
static void set(size_t offset, unsigned bytes, uint64_t value)
{
    memcpy(HEADER + offset, &value, bytes);
    memcpy(BACKUP + offset, &value, bytes);
    table_seal(disk, SECTORS);
}

static void assert_damage(const char *words)
{
    const char *error = load();

    assert_non_null(error);
    assert_string_equal(error, words);
    assert_int_equal(gpt.count, 0);
}

static void test_no_table(void **state)
{
    make();
    disk[510] = 0;
    assert_damage("there is none");
    make();
    disk[446 + 4] = 0x83; /* it was partitioned anew, without one */
    assert_damage("there is none");
    make();
    size = 2;
    assert_damage("there is none");
    make();
    unreadable = 0;
    assert_damage("its first sector cannot be read");
    make();
    memset(HEADER, 0, 512);
    memset(BACKUP, 0, 512);
    assert_damage("there is no header");
}

static void test_header(void **state)
{
    static const struct {
        size_t offset;
        unsigned bytes;
        uint64_t value;
        const char *words;
    } rows[] = {
        {HEADER_REVISION, 4, 0x00020000, "it is of an unknown revision"},
        {HEADER_SIZE_AT, 4, 91, "its header has an impossible size"},
        {HEADER_SIZE_AT, 4, 513, "its header has an impossible size"},
        {HEADER_SIZE_AT, 4, UINT32_MAX, "its header has an impossible size"},
        {HEADER_MY_LBA, 8, 7, "its header belongs elsewhere"},
        {HEADER_LAST_USABLE, 8, SECTORS, "it is for a larger disk"},
        {HEADER_LAST_USABLE, 8, SECTORS - 1, "it is for a larger disk"},
        {HEADER_LAST_USABLE, 8, UINT64_MAX, "it is for a larger disk"},
        {HEADER_FIRST_USABLE, 8, 0, "its header is among the partitions"},
        {HEADER_FIRST_USABLE, 8, 1, "its header is among the partitions"},
        {HEADER_LAST_USABLE, 8, 33, "it leaves no room for partitions"},
        {HEADER_ENTRY_COUNT, 4, 0, "its number of entries is out of range"},
        {HEADER_ENTRY_COUNT, 4, 1025, "its number of entries is out of range"},
        {HEADER_ENTRY_SIZE, 4, 0, "the size of its entries is out of range"},
        {HEADER_ENTRY_SIZE, 4, 64, "the size of its entries is out of range"},
        {HEADER_ENTRY_SIZE, 4, 384, "the size of its entries is out of range"},
        {HEADER_ENTRY_SIZE, 4, 8192, "the size of its entries is out of range"},
        {HEADER_ENTRY_LBA, 8, 1, "its entries are outside of the disk"},
        {HEADER_ENTRY_LBA, 8, SECTORS - 31, "its entries are outside of the disk"},
        {HEADER_ENTRY_LBA, 8, UINT64_MAX - 1, "its entries are outside of the disk"},
        {HEADER_FIRST_USABLE, 8, 33, "its entries are among the partitions"},
        {HEADER_ENTRY_LBA, 8, 200, "its entries are among the partitions"},
        {HEADER_FIRST_USABLE, 8, 35, "a partition is out of bounds"},
        {HEADER_LAST_USABLE, 8, SECTORS - 35, "a partition is out of bounds"},
    };
    const char *error;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make();
        set(rows[i].offset, rows[i].bytes, rows[i].value);
        error = load();
        assert_string_equal(error ? error : gpt.damage, rows[i].words);
        assert_true(gpt.count == 0 || gpt.damage);
    }
    make();
    HEADER[60]++;
    BACKUP[60]++;
    assert_damage("its header's checksum is wrong");
    set(0, 0, 0);
    assert_null(load());
}

static void test_entries(void **state)
{
    make();
    ENTRY(5)[130]++;
    disk[(SECTORS - 33) * 512]++;
    assert_damage("its entries' checksum is wrong");
    make();
    put64(ENTRY(0) + ENTRY_LAST, 33);
    table_seal(disk, SECTORS);
    table_add(disk + 0, SECTORS, 0, 34, 33, "lintel-web");
    table_seal(disk, SECTORS);
    assert_damage("a partition is out of bounds");
    make();
    table_add(disk, SECTORS, 3, 99, 99, "lintel-overlap");
    table_seal(disk, SECTORS);
    assert_damage("two partitions overlap");
    make();
    table_add(disk, SECTORS, 3, 90, 120, "lintel-around");
    table_seal(disk, SECTORS);
    assert_damage("two partitions overlap");
}

/* 129 partitions of a sector each. */
static void test_many(void **state)
{
    make();
    memset(disk + 1024, 0, 33 * 512);
    put64(HEADER + HEADER_FIRST_USABLE, 35);
    put32(HEADER + HEADER_ENTRY_COUNT, 132);
    for (unsigned n = 0; n < 129; n++)
        table_add(disk, SECTORS, n, 100 + n, 100 + n, "x");
    memset(BACKUP, 0, 512);
    table_seal(disk, SECTORS);
    assert_damage("it has more than 128 partitions");
    memset(ENTRY(60), 0, 128);
    table_seal(disk, SECTORS);
    memset(BACKUP, 0, 512);
    assert_null(load());
    assert_int_equal(gpt.count, 128);
}

static void test_backup(void **state)
{
    make();
    HEADER[100]++; /* behind what the checksum is of */
    assert_null(load());
    assert_null(gpt.damage);
    HEADER[60]++;
    assert_null(load());
    assert_string_equal(gpt.damage, "its header's checksum is wrong");
    assert_int_equal(gpt.count, 3);
    make();
    unreadable = 20;
    assert_null(load());
    assert_string_equal(gpt.damage, "its entries cannot be read");
    make();
    unreadable = 1;
    assert_null(load());
    assert_string_equal(gpt.damage, "its header cannot be read");
    make(); /* cut off */
    size = 400;
    assert_damage("it is for a larger disk");
    make(); /* of the damages, the first table's is told */
    ENTRY(0)[0]++;
    BACKUP[60]++;
    assert_damage("its entries' checksum is wrong");
}

/* Chance. */

static uint64_t chance;

static uint32_t below(uint32_t limit)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (uint32_t)(chance >> 32) % limit;
}

static uint64_t interesting(void)
{
    static const uint64_t values[] = {0,           1,           2,          33,         34,
                                      35,          127,         128,        129,        256,
                                      SECTORS - 2, SECTORS - 1, SECTORS,    511,        4096,
                                      UINT32_MAX,  1ULL << 31,  1ULL << 32, 1ULL << 63, UINT64_MAX};
    uint64_t value = values[below(sizeof(values) / sizeof(values[0]))];

    return below(3) ? value : value + below(64) - 32;
}

static void damage(void)
{
    static const size_t fields[] = {8, 12, 16, 24, 32, 40, 48, 72, 80, 84, 88};
    uint8_t *header = below(2) ? HEADER : BACKUP;
    uint64_t value = interesting();

    switch (below(5)) {
    case 0:
        memcpy(header + fields[below(11)], &value, below(2) ? 4 : 8);
        break;
    case 1:
        memcpy(ENTRY(below(130)) + ENTRY_FIRST + 8 * below(2), &value, 8);
        break;
    case 2:
        table_add(disk, SECTORS, below(128), 34 + below(SECTORS), 34 + below(SECTORS), "lintel-a");
        break;
    case 3:
        disk[below(sizeof(disk))] = (uint8_t)below(256);
        break;
    default:
        header[below(96)] ^= (uint8_t)(1 << below(8));
    }
}

static void assert_sound(void)
{
    assert_true(gpt.count <= GPT_PARTITIONS);
    for (uint32_t i = 0; i < gpt.count; i++) {
        const struct gpt_partition *p = &gpt.partition[i];

        assert_true(p->sectors > 0 && p->first > 1 && p->first < size - 1);
        assert_true(p->sectors <= size - 1 - p->first); /* the headers are no partition's */
        assert_true(strnlen(p->name, sizeof(p->name)) <= GPT_NAME);
        for (uint32_t j = 0; j < i; j++) {
            const struct gpt_partition *q = &gpt.partition[j];

            assert_true(p->first + p->sectors <= q->first || q->first + q->sectors <= p->first);
        }
    }
}

static unsigned damage_once(void)
{
    make();
    for (unsigned n = 1 + below(6); n > 0; n--)
        damage();
    if (below(4))
        table_seal(disk, SECTORS);
    if (!below(16))
        size = 1 + below(SECTORS);
    if (!below(16))
        unreadable = below(SECTORS);
    if (load())
        assert_int_equal(gpt.count, 0);
    assert_sound();
    return gpt.count;
}

static time_t seconds;

static void test_chance(void **state)
{
    time_t end = time(NULL) + seconds;
    uint64_t tables = 0, read = 0;

    chance = seconds ? (uint64_t)end << 20 | 1 : 0x9e3779b97f4a7c15ULL;
    do {
        for (unsigned i = 0; i < 3000; i++, tables++)
            read += damage_once() > 0;
    } while (time(NULL) < end);
    print_message("%llu tables, %llu of them read\n", (unsigned long long)tables,
                  (unsigned long long)read);
    assert_in_range(read * 100 / tables, 5, 95);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest chances[] = {cmocka_unit_test(test_chance)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_header),  cmocka_unit_test(test_large_entries),
        cmocka_unit_test(test_entries), cmocka_unit_test(test_no_table),
        cmocka_unit_test(test_many),    cmocka_unit_test(test_backup),
        cmocka_unit_test(test_chance),
    };

    if (argc > 1) {
        seconds = atol(argv[1]);
        return cmocka_run_group_tests(chances, NULL, NULL);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
