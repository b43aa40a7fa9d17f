/* SPDX-License-Identifier: BSD-2-Clause */
/* GUID partition tables, written as a partitioning tool does, for tests to damage. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_ENTRIES       128u
#define TABLE_ENTRY_SECTORS 32u
#define TABLE_FIRST_USABLE  34u

/* Offsets in a header and in an entry. */
enum {
    HEADER_REVISION = 8,
    HEADER_SIZE_AT = 12,
    HEADER_CRC = 16,
    HEADER_MY_LBA = 24,
    HEADER_FIRST_USABLE = 40,
    HEADER_LAST_USABLE = 48,
    HEADER_ENTRY_LBA = 72,
    HEADER_ENTRY_COUNT = 80,
    HEADER_ENTRY_SIZE = 84,
    HEADER_ENTRY_CRC = 88,
    ENTRY_FIRST = 32,
    ENTRY_LAST = 40,
    ENTRY_NAME = 56,
};

uint32_t table_crc(const void *data, size_t size);
void put32(uint8_t *at, uint32_t value);
void put64(uint8_t *at, uint64_t value);
uint32_t get32(const uint8_t *at);
uint64_t get64(const uint8_t *at);

/* Writes an empty table at both ends of a disk, with a protective MBR. */
void table_make(uint8_t *disk, uint64_t sectors);
/* Fills entry n of both tables; the checksums stay as they were. */
void table_add(uint8_t *disk, uint64_t sectors, unsigned n, uint64_t first, uint64_t last,
               const char *name);
/* Makes both tables' checksums right, where the places of what they cover are on the disk. */
void table_seal(uint8_t *disk, uint64_t sectors);
