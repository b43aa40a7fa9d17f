/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/phys_map.h"

#include "lib/bits.h"
#include "lib/string.h"

static void delete_range(struct phys_map *map, uint32_t i)
{
    memmove(&map->range[i], &map->range[i + 1], (--map->count - i) * sizeof(map->range[0]));
}

static bool insert_range(struct phys_map *map, uint32_t i, uint64_t start, uint64_t end)
{
    if (map->count == PHYS_MAP_MAX)
        return false;
    memmove(&map->range[i + 1], &map->range[i], (map->count++ - i) * sizeof(map->range[0]));
    map->range[i] = (struct phys_range){start, end};
    return true;
}

bool phys_map_add(struct phys_map *map, uint64_t start, uint64_t end)
{
    uint32_t i = 0;

    if (start >= end)
        return true;
    while (i < map->count && map->range[i].end < start)
        i++;
    while (i < map->count && map->range[i].start <= end) {
        start = min_u64(start, map->range[i].start);
        end = max_u64(end, map->range[i].end);
        delete_range(map, i);
    }
    return insert_range(map, i, start, end);
}

bool phys_map_remove(struct phys_map *map, uint64_t start, uint64_t end)
{
    if (start >= end)
        return true;
    for (uint32_t i = 0; i < map->count;) {
        struct phys_range r = map->range[i];
        if (r.end <= start || r.start >= end) {
            i++;
            continue;
        }
        delete_range(map, i);
        if (r.start < start && !insert_range(map, i++, r.start, start))
            return false;
        if (r.end > end && !insert_range(map, i, end, r.end))
            return false;
    }
    return true;
}

uint64_t phys_map_take(struct phys_map *map, uint64_t size, uint64_t align, uint64_t limit)
{
    for (uint32_t i = map->count; i-- > 0;) {
        struct phys_range r = map->range[i];
        uint64_t end = min_u64(r.end, limit);
        if (end < size || align_down(end - size, align) < r.start)
            continue;
        uint64_t start = align_down(end - size, align);
        return phys_map_remove(map, start, start + size) ? start : PHYS_MAP_NONE;
    }
    return PHYS_MAP_NONE;
}

uint64_t phys_map_size(const struct phys_map *map)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < map->count; i++)
        size += map->range[i].end - map->range[i].start;
    return size;
}

uint64_t phys_map_largest(const struct phys_map *map, uint64_t align)
{
    uint64_t largest = 0;

    for (uint32_t i = 0; i < map->count; i++) {
        uint64_t start = align_up(map->range[i].start, align),
                 end = align_down(map->range[i].end, align);
        if (end > start)
            largest = max_u64(largest, end - start);
    }
    return largest;
}
