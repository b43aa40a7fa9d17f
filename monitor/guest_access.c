/* SPDX-License-Identifier: BSD-2-Clause */
/* Data accesses in the guest's name. */
#include "monitor/guest_access.h"

#include "lib/string.h"
#include "monitor/breakpoint.h"
#include "monitor/gate.h"
#include "monitor/task.h"

bool guest_translate(struct guest_access *a, uint64_t linear, unsigned size, enum walk_access kind,
                     struct guest_place *place, struct emulate_fault *fault)
{
    unsigned in_page = (unsigned)(PAGE_SIZE - linear % PAGE_SIZE);

    *place = (struct guest_place){.size = {size, 0}};
    if (breakpoints_on(a->state))
        a->breakpoints |= breakpoints_met(
            a->state, kind == WALK_WRITE ? BREAKPOINT_WRITE : BREAKPOINT_READ, linear, size);
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
static inline void copy(void *to, const void *from, unsigned size)
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

static inline uint64_t load_part(const struct guest_access *a, uint64_t physical, unsigned size)
{
    const void *ram = guest_memory_at(&a->board->memory, physical, size);
    uint64_t value = 0;

    if (ram == NULL)
        return board_load(a->board, a->vcpu, physical, size);
    copy(&value, ram, size);
    return value;
}

uint64_t guest_load(const struct guest_access *a, const struct guest_place *place)
{
    uint64_t value = load_part(a, place->physical[0], place->size[0]);

    if (place->size[1] > 0)
        value |= load_part(a, place->physical[1], place->size[1]) << place->size[0] * 8;
    return value;
}

static inline void store_part(const struct guest_access *a, uint64_t physical, unsigned size,
                              uint64_t value)
{
    void *ram = guest_memory_at(&a->board->memory, physical, size);

    if (ram == NULL)
        board_store(a->board, a->vcpu, physical, size, value);
    else
        copy(ram, &value, size);
}

void guest_store(const struct guest_access *a, const struct guest_place *place, uint64_t value)
{
    store_part(a, place->physical[0], place->size[0], value);
    if (place->size[1] > 0)
        store_part(a, place->physical[1], place->size[1], value >> place->size[0] * 8);
}

static inline const uint8_t *find_code(const struct guest_access *a, uint64_t linear)
{
    return code_page_find(&a->board->code_page, &a->board->memory, a->state, linear);
}

/* At the end of a page. */
__attribute__((cold, noinline)) static size_t
fetch_across(const struct guest_access *a, uint64_t linear, uint8_t bytes[DECODE_MAX_LENGTH])
{
    size_t got = 0;

    while (got < DECODE_MAX_LENGTH) {
        size_t at = (linear + got) % PAGE_SIZE,
               size = min_u64(DECODE_MAX_LENGTH - got, PAGE_SIZE - at);
        const uint8_t *page = find_code(a, linear + got);

        if (page == NULL)
            break;
        memcpy(bytes + got, page + at, size);
        got += size;
    }
    return got;
}

size_t emulate_fetch(void *ctx, uint64_t linear, uint8_t bytes[DECODE_MAX_LENGTH])
{
    size_t at = linear % PAGE_SIZE;
    const uint8_t *page;

    if (at > PAGE_SIZE - DECODE_MAX_LENGTH)
        return fetch_across(ctx, linear, bytes);
    page = find_code(ctx, linear);
    if (page == NULL)
        return 0;
    __builtin_memcpy(bytes, page + at, 8); /* two halves that meet in one byte */
    __builtin_memcpy(bytes + 7, page + at + 7, 8);
    return DECODE_MAX_LENGTH;
}

__attribute__((noinline)) static bool read_walking(struct guest_access *a, uint64_t linear,
                                                   unsigned size, uint64_t *value,
                                                   struct emulate_fault *fault)
{
    struct guest_place place;

    if (!guest_translate(a, linear, size, WALK_READ, &place, fault))
        return false;
    *value = guest_load(a, &place);
    return true;
}

__attribute__((noinline)) static bool write_walking(struct guest_access *a, uint64_t linear,
                                                    unsigned size, uint64_t value,
                                                    struct emulate_fault *fault)
{
    struct guest_place place;

    if (!guest_translate(a, linear, size, WALK_WRITE, &place, fault))
        return false;
    guest_store(a, &place, value);
    return true;
}

/* R23 */
bool task_pdptes(void *ctx, uint64_t cr3, uint64_t pdpte[4])
{
    const struct guest_access *a = ctx;

    return walk_pdptes(&a->board->memory, cr3, pdpte);
}

/* The state is that of the vCPU's exit page. */
void emulate_segments(void *ctx)
{
    gate_segments();
}

static bool is_ram(const struct guest_access *a, const struct guest_place *place)
{
    const struct guest_memory *memory = &a->board->memory;

    return guest_memory_at(memory, place->physical[0], place->size[0]) != NULL &&
           (place->size[1] == 0 ||
            guest_memory_at(memory, place->physical[1], place->size[1]) != NULL);
}

/* Whether all of an access lies in the device's page; then at this distance, by exclusive or. */
static inline bool in_device_page(const struct guest_access *a, uint64_t linear, unsigned size,
                                  uint64_t *distance)
{
    *distance = linear ^ a->device_linear;
    return *distance < PAGE_SIZE && linear % PAGE_SIZE + size <= PAGE_SIZE;
}

bool emulate_read(void *ctx, uint64_t linear, unsigned size, uint64_t *value,
                  struct emulate_fault *fault)
{
    struct guest_access *a = ctx;
    uint64_t distance;

    if (!in_device_page(a, linear, size, &distance))
        return read_walking(a, linear, size, value, fault);
    *value = board_load(a->board, a->vcpu, a->device_physical ^ distance, size);
    return true;
}

/* What was read only may be read-only. */
bool emulate_write(void *ctx, uint64_t linear, unsigned size, uint64_t value,
                   struct emulate_fault *fault)
{
    struct guest_access *a = ctx;
    uint64_t distance;

    if (!in_device_page(a, linear, size, &distance) || !a->device_write)
        return write_walking(a, linear, size, value, fault);
    board_store(a->board, a->vcpu, a->device_physical ^ distance, size, value);
    return true;
}

/* What the processor does in one step is not done in two, beside other vCPUs: if only memory is
 * modified, it is not what made the guest exit. */
bool emulate_modifiable(void *ctx, uint64_t linear, unsigned size, struct emulate_fault *fault)
{
    struct guest_access *a = ctx;
    struct guest_place place;
    uint64_t distance;

    if (in_device_page(a, linear, size, &distance) && a->device_write)
        return true;
    if (!guest_translate(a, linear, size, WALK_WRITE, &place, fault))
        return false;
    if (a->device_linear == GUEST_NO_PAGE || !is_ram(a, &place))
        return true;
    *fault = (struct emulate_fault){.vector = REPLY_NO_VECTOR};
    return false;
}

bool emulate_writable(void *ctx, uint64_t linear, unsigned size, struct emulate_fault *fault)
{
    struct guest_access *a = ctx;
    struct guest_place place;
    uint64_t distance;

    return (in_device_page(a, linear, size, &distance) && a->device_write) ||
           guest_translate(a, linear, size, WALK_WRITE, &place, fault);
}
