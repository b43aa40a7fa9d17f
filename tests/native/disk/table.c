/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"

#include <string.h>

#define SECTOR 512u

uint32_t table_crc(const void *data, size_t size)
{
    static uint32_t table[256];
    const uint8_t *bytes = data;
    uint32_t sum = ~0u;

    for (uint32_t i = 0; i < 256 && !table[255]; i++) {
        uint32_t value = i;

        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? 0xedb88320u ^ value >> 1 : value >> 1;
        table[i] = value;
    }
    while (size-- > 0)
        sum = table[(sum ^ *bytes++) & 0xff] ^ sum >> 8;
    return ~sum;
}

void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

void put64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

uint64_t get64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static void make_header(uint8_t *disk, uint64_t sectors, uint64_t lba, uint64_t entries)
{
    uint8_t *h = disk + lba * SECTOR;

    memset(h, 0, SECTOR);
    memcpy(h, "EFI PART", 8);
    put32(h + HEADER_REVISION, 0x00010000);
    put32(h + HEADER_SIZE_AT, 92);
    put64(h + HEADER_MY_LBA, lba);
    put64(h + HEADER_MY_LBA + 8, lba == 1 ? sectors - 1 : 1);
    put64(h + HEADER_FIRST_USABLE, TABLE_FIRST_USABLE);
    put64(h + HEADER_LAST_USABLE, sectors - TABLE_ENTRY_SECTORS - 2);
    memset(h + 56, 0x11, 16);
    put64(h + HEADER_ENTRY_LBA, entries);
    put32(h + HEADER_ENTRY_COUNT, TABLE_ENTRIES);
    put32(h + HEADER_ENTRY_SIZE, 128);
}

static void add_entry(uint8_t *e, uint64_t first, uint64_t last, const char *name)
{
    memset(e, 0, 128);
    memset(e, 0x22, 16);
    memset(e + 16, 0x33, 16);
    put64(e + ENTRY_FIRST, first);
    put64(e + ENTRY_LAST, last);
    for (unsigned i = 0; name[i] != '\0' && i < 36; i++)
        e[ENTRY_NAME + 2 * i] = (uint8_t)name[i];
}

static void seal(uint8_t *disk, uint64_t sectors, uint64_t lba)
{
    uint8_t *h = disk + lba * SECTOR;
    uint64_t entries = get64(h + HEADER_ENTRY_LBA), size = get32(h + HEADER_SIZE_AT);
    uint64_t bytes = (uint64_t)get32(h + HEADER_ENTRY_COUNT) * get32(h + HEADER_ENTRY_SIZE);

    if (entries < sectors && bytes <= (sectors - entries) * SECTOR)
        put32(h + HEADER_ENTRY_CRC, table_crc(disk + entries * SECTOR, bytes));
    if (size > SECTOR)
        return;
    put32(h + HEADER_CRC, 0);
    put32(h + HEADER_CRC, table_crc(h, size));
}

void table_make(uint8_t *disk, uint64_t sectors)
{
    memset(disk, 0, SECTOR);
    disk[446 + 4] = 0xee;
    put32(disk + 446 + 8, 1);
    put32(disk + 446 + 12, (uint32_t)(sectors - 1));
    disk[510] = 0x55;
    disk[511] = 0xaa;
    memset(disk + 2 * SECTOR, 0, TABLE_ENTRY_SECTORS * SECTOR);
    memset(disk + (sectors - 1 - TABLE_ENTRY_SECTORS) * SECTOR, 0, TABLE_ENTRY_SECTORS * SECTOR);
    make_header(disk, sectors, 1, 2);
    make_header(disk, sectors, sectors - 1, sectors - 1 - TABLE_ENTRY_SECTORS);
    table_seal(disk, sectors);
}

void table_add(uint8_t *disk, uint64_t sectors, unsigned n, uint64_t first, uint64_t last,
               const char *name)
{
    add_entry(disk + 2 * SECTOR + n * 128, first, last, name);
    add_entry(disk + (sectors - 1 - TABLE_ENTRY_SECTORS) * SECTOR + n * 128, first, last, name);
}

void table_seal(uint8_t *disk, uint64_t sectors)
{
    seal(disk, sectors, 1);
    seal(disk, sectors, sectors - 1);
}
