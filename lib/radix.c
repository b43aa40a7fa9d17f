/* SPDX-License-Identifier: BSD-2-Clause */
/* The 4-level map under EPT and host paging. */
#include "lib/radix.h"

#include "lib/bits.h"

#include <stddef.h>

#define LEVELS       4
#define ENTRIES      512
#define ADDRESS_BITS 48
#define LARGE        BIT(7) /* a leaf above level 1, in both kinds of tables */
#define ADDRESS_MASK 0x000ffffffffff000ULL

/* One range being written. Level 1 tables hold 4-KiB pages, level 4 is the root. */
struct span {
    const struct radix_format *format;
    uint64_t address, phys, size, flags;
};

static unsigned shift_of(unsigned level)
{
    return 12 + 9 * (level - 1);
}

static uint64_t page_size(unsigned level)
{
    return BIT(shift_of(level));
}

static unsigned index_of(uint64_t address, unsigned level)
{
    return (address >> shift_of(level)) & (ENTRIES - 1);
}

static bool is_present(const struct radix_format *format, uint64_t entry)
{
    return entry & format->present;
}

static bool is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (entry & LARGE);
}

static uint64_t leaf_entry(uint64_t phys, uint64_t flags, unsigned level)
{
    return phys | flags | (level > 1 ? LARGE : 0);
}

/* Tables may be live: what an entry points to is written before the entry. */
static void write_entry(uint64_t *entry, uint64_t value)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/* Puts a table of smaller pages, or an empty table, in the place of an entry. The CPU sees the old
 * entry or the full table. */
static uint64_t *split(const struct radix_format *format, uint64_t *entry, unsigned level)
{
    uint64_t *table = table_page();

    if (!table)
        return NULL;
    if (is_present(format, *entry)) {
        const uint64_t phys = *entry & ADDRESS_MASK;
        const uint64_t flags = *entry & ~ADDRESS_MASK & ~LARGE;

        for (unsigned i = 0; i < ENTRIES; i++)
            table[i] = leaf_entry(phys + i * page_size(level - 1), flags, level - 1);
    }
    write_entry(entry, phys_of(table) | format->table);
    return table;
}

/* Whether the whole page at this level is covered by a leaf, or by nothing. A table that is there
 * already stays. */
static bool fits(const struct span *span, uint64_t entry, unsigned level)
{
    if (span->size < page_size(level) || !is_aligned(span->address, page_size(level)))
        return false;
    if (is_present(span->format, entry) && !is_leaf(entry, level))
        return false;
    if (!is_present(span->format, span->flags))
        return true;
    return level <= span->format->levels && is_aligned(span->phys, page_size(level));
}

static void advance(struct span *span, uint64_t size)
{
    span->address += size;
    span->phys += size;
    span->size -= size;
}

/* Writes the part of the span that lies in this table. */
static bool write_table(struct span *span, uint64_t *table, unsigned level)
{
    const struct radix_format *format = span->format;
    const bool mapping = is_present(format, span->flags);

    for (unsigned i = index_of(span->address, level); i < ENTRIES && span->size; i++) {
        uint64_t *entry = &table[i];

        if (fits(span, *entry, level)) {
            write_entry(entry, mapping ? leaf_entry(span->phys, span->flags, level) : 0);
            advance(span, page_size(level));
        } else if (!mapping && !is_present(format, *entry)) {
            advance(span, min_u64(span->size,
                                  page_size(level) - (span->address & (page_size(level) - 1))));
        } else {
            uint64_t *next = is_present(format, *entry) && !is_leaf(*entry, level)
                                 ? virt_of(*entry & ADDRESS_MASK)
                                 : split(format, entry, level);
            if (!next || !write_table(span, next, level - 1))
                return false;
        }
    }
    return true;
}

bool radix_map(const struct radix_format *format, uint64_t *root, uint64_t address, uint64_t phys,
               uint64_t size, uint64_t flags)
{
    struct span span = {format, address, phys, size, flags};
    const uint64_t half = BIT(ADDRESS_BITS - 1);

    if (!is_aligned(address | phys | size, PAGE_SIZE) || !is_canonical(address))
        return false;
    if (size > half - (address & (half - 1)))
        return false;
    if (phys > ADDRESS_MASK || size > ADDRESS_MASK + PAGE_SIZE - phys)
        return false;
    return write_table(&span, root, LEVELS);
}

bool radix_unmap(const struct radix_format *format, uint64_t *root, uint64_t address, uint64_t size)
{
    return radix_map(format, root, address, 0, size, 0);
}

uint64_t *radix_entry(uint64_t *root, uint64_t address)
{
    uint64_t *table = root;

    for (unsigned level = LEVELS; level > 1; level--)
        table = virt_of(table[index_of(address, level)] & ADDRESS_MASK);
    return &table[index_of(address, 1)];
}

bool radix_lookup(const struct radix_format *format, const uint64_t *root, uint64_t address,
                  struct radix_leaf *leaf)
{
    const uint64_t *table = root;

    if (!is_canonical(address))
        return false;
    for (unsigned level = LEVELS; level > 0; level--) {
        const uint64_t entry = table[index_of(address, level)];

        if (!is_present(format, entry))
            return false;
        if (is_leaf(entry, level)) {
            leaf->size = page_size(level);
            leaf->phys = (entry & ADDRESS_MASK) + (address & (leaf->size - 1));
            leaf->flags = entry & ~ADDRESS_MASK & ~(level > 1 ? LARGE : 0);
            return true;
        }
        table = virt_of(entry & ADDRESS_MASK);
    }
    return false;
}
