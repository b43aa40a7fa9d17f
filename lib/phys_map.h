/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of physical address ranges, kept sorted and apart. What of the machine's RAM
 * is still free. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PHYS_MAP_MAX  128
#define PHYS_MAP_NONE UINT64_MAX

struct phys_range {
    uint64_t start, end; /* end is the first address behind it */
};

static inline uint64_t phys_range_size(const struct phys_range *range)
{
    return range->end - range->start;
}

struct phys_map {
    uint32_t count;
    struct phys_range range[PHYS_MAP_MAX];
};

/* Adds [start, end). False: the map is full. */
bool phys_map_add(struct phys_map *map, uint64_t start, uint64_t end);

/* Takes [start, end) out, whatever of it is in. False: the map is full (a hole splits a range). */
bool phys_map_remove(struct phys_map *map, uint64_t start, uint64_t end);

/*
 * Takes the highest piece of size bytes, aligned to align (a power of two), that ends at or below
 * limit. Returns its address, or PHYS_MAP_NONE when there is none.
 */
uint64_t phys_map_take(struct phys_map *map, uint64_t size, uint64_t align, uint64_t limit);

/* The size of all. */
uint64_t phys_map_size(const struct phys_map *map);

/* The size of the largest piece with this alignment, in multiples of it. */
uint64_t phys_map_largest(const struct phys_map *map, uint64_t align);
