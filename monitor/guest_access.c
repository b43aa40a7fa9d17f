/* SPDX-License-Identifier: BSD-2-Clause */
/* Data accesses in the guest's name. */
#include "monitor/guest_access.h"

#include "hypervisor/lib/string.h"

bool guest_translate(const struct guest_access *a, uint64_t linear, unsigned size,
                     enum walk_access kind, struct guest_place *place, struct emulate_fault *fault)
{
    unsigned in_page = (unsigned)(PAGE_SIZE - linear % PAGE_SIZE);

    *place = (struct guest_place){.size = {size, 0}};
    if (!walk(&a->board->memory, a->state, linear, kind, &place->physical[0], fault))
        return false;
    if (size <= in_page)
        return true;
    place->size[0] = in_page;
    place->size[1] = size - in_page;
    return walk(&a->board->memory, a->state, linear + in_page, kind, &place->physical[1], fault);
}

/* One access of the whole size where the size is a power of two, so that it is as atomic as the
 * processor's. */
static void copy(void *to, const void *from, unsigned size)
{
    switch (size) {
    case 1:
        __builtin_memcpy(to, from, 1);
        break;
    case 2:
        __builtin_memcpy(to, from, 2);
        break;
    case 4:
        __builtin_memcpy(to, from, 4);
        break;
    case 8:
        __builtin_memcpy(to, from, 8);
        break;
    default:
        memcpy(to, from, size);
        break;
    }
}

void guest_load(const struct guest_access *a, const struct guest_place *place, void *data)
{
    uint8_t *to = data;

    for (unsigned i = 0; i < 2 && place->size[i] > 0; to += place->size[i++]) {
        const void *ram = guest_memory_at(&a->board->memory, place->physical[i], place->size[i]);

        if (ram != NULL) {
            copy(to, ram, place->size[i]);
        } else {
            uint64_t value = board_load(a->board, a->vcpu, place->physical[i], place->size[i]);

            copy(to, &value, place->size[i]);
        }
    }
}

void guest_store(const struct guest_access *a, const struct guest_place *place, const void *data)
{
    const uint8_t *from = data;

    for (unsigned i = 0; i < 2 && place->size[i] > 0; from += place->size[i++]) {
        void *ram = guest_memory_at(&a->board->memory, place->physical[i], place->size[i]);
        uint64_t value = 0;

        if (ram != NULL) {
            copy(ram, from, place->size[i]);
        } else {
            copy(&value, from, place->size[i]);
            board_store(a->board, a->vcpu, place->physical[i], place->size[i], value);
        }
    }
}

static bool fetch(void *ctx, uint64_t linear, uint8_t *bytes, size_t *count)
{
    const struct guest_access *a = ctx;
    struct emulate_fault fault;
    size_t got = 0;

    while (got < *count) {
        uint64_t physical, at = linear + got;
        size_t size = min_u64(*count - got, PAGE_SIZE - at % PAGE_SIZE);
        const void *ram = NULL;

        if (walk(&a->board->memory, a->state, at, WALK_FETCH, &physical, &fault))
            ram = guest_memory_at(&a->board->memory, physical, size);
        if (ram == NULL)
            break;
        memcpy(bytes + got, ram, size);
        got += size;
    }
    *count = got;
    return got > 0;
}

static bool read(void *ctx, uint64_t linear, void *data, unsigned size, struct emulate_fault *fault)
{
    struct guest_place place;

    if (!guest_translate(ctx, linear, size, WALK_READ, &place, fault))
        return false;
    guest_load(ctx, &place, data);
    return true;
}

static bool write(void *ctx, uint64_t linear, const void *data, unsigned size,
                  struct emulate_fault *fault)
{
    struct guest_place place;

    if (!guest_translate(ctx, linear, size, WALK_WRITE, &place, fault))
        return false;
    guest_store(ctx, &place, data);
    return true;
}

const struct emulate_memory guest_access_memory = {fetch, read, write};
