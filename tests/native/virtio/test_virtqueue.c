/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtqueue against the words of virtio 1.2, and all small rings against a model of it. */
#include <stdlib.h>
#include <string.h>

#include "tests/native/virtio/rings.h"

static struct virtq_chain chain;

/* 2.7: alignment and place of the three parts. */
static void parts(void **state)
{
    static const struct {
        uint64_t descriptors, available, used;
        bool good;
    } cases[] = {
        {0, 0x800, 0xa00, true},
        {8, 0x800, 0xa00, false},
        {0, 0x801, 0xa00, false},
        {0, 0x802, 0xa00, true},
        {0, 0x800, 0xa02, false},
        {MEMORY - 64, 0x800, 0xa00, true},
        {MEMORY - 48, 0x800, 0xa00, false},
        {0, MEMORY - 14, 0xa00, true},
        {0, MEMORY - 12, 0xa00, false},
        {0, 0x800, MEMORY - 40, true}, /* 38 bytes */
        {0, 0x800, MEMORY - 36, false},
        {UINT64_MAX - 15, 0x800, 0xa00, false},
        {0, 0x800, PLAN_HOLE_START, false},
    };
    struct rings *r = rings_make(4);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        r->queue = (struct virtqueue){.size = 4,
                                      .at.descriptors = cases[i].descriptors,
                                      .at.available = cases[i].available,
                                      .at.used = cases[i].used};
        assert_int_equal(virtq_enable(&r->queue, &r->memory), cases[i].good);
        assert_int_equal(r->queue.enabled, cases[i].good);
    }
    rings_free(r);
}

static void next_and_put(void **state)
{
    struct rings *r = rings_make(4);

    assert_int_equal(virtq_next(&r->queue, &chain), VIRTQ_EMPTY);
    set_descriptor(r, DESCRIPTORS, 2, DATA, 16, NEXT, 0);
    set_descriptor(r, DESCRIPTORS, 0, DATA + 0x100, 0x200, NEXT | WRITE, 3);
    set_descriptor(r, DESCRIPTORS, 3, DATA + 0x300, 1, WRITE, 77);
    for (unsigned i = 0; i < 70000; i++) { /* the indices wrap */
        offer(r, 2);
        assert_int_equal(virtq_next(&r->queue, &chain), VIRTQ_CHAIN);
        assert_int_equal(chain.head, 2);
        assert_int_equal(chain.readable, 1);
        assert_int_equal(chain.count, 3);
        assert_int_equal(guest_pieces_size(chain.pieces, chain.readable), 16);
        assert_int_equal(
            guest_pieces_size(chain.pieces + chain.readable, chain.count - chain.readable), 0x201);
        assert_int_equal(chain.pieces[1].address, DATA + 0x100);
        assert_int_equal(virtq_next(&r->queue, &chain), VIRTQ_EMPTY);
        virtq_put(&r->queue, 2, i);
        assert_int_equal(get_16(r, USED), 0); /* 2.7.10.2: flags stay 0 */
        assert_int_equal(get_16(r, USED + 2), (uint16_t)(i + 1));
        assert_int_equal(get_32(r, USED + 4 + 8 * (i % 4)), 2);
        assert_int_equal(get_32(r, USED + 8 + 8 * (i % 4)), i);
    }
    rings_free(r);
}

/* More available than the ring has entries is no ring. */
static void index_jumps(void **state)
{
    for (uint32_t index = 0; index < 0x10000; index++) {
        struct rings *r = rings_make(4);

        set_16(r, AVAILABLE + 2, (uint16_t)index);
        set_descriptor(r, DESCRIPTORS, 0, DATA, 1, 0, 0);
        assert_int_equal(virtq_next(&r->queue, &chain), index == 0   ? VIRTQ_EMPTY
                                                        : index <= 4 ? VIRTQ_CHAIN
                                                                     : VIRTQ_BROKEN);
        rings_free(r);
    }
}

static void copies(void **state)
{
    struct rings *r = rings_make(4);
    uint8_t bytes[64];

    for (unsigned i = 0; i < 64; i++)
        r->memory.base[DATA + i] = (uint8_t)i;
    set_descriptor(r, DESCRIPTORS, 0, DATA, 5, NEXT, 1);
    set_descriptor(r, DESCRIPTORS, 1, DATA + 5, 11, NEXT, 2);
    set_descriptor(r, DESCRIPTORS, 2, DATA + 0x100, 3, NEXT | WRITE, 3);
    set_descriptor(r, DESCRIPTORS, 3, DATA + 0x200, 4, WRITE, 0);
    offer(r, 0);
    assert_int_equal(virtq_next(&r->queue, &chain), VIRTQ_CHAIN);
    for (unsigned offset = 0; offset <= 17; offset++)
        for (unsigned size = 0; size <= 17; size++) {
            unsigned left = offset < 16 ? 16 - offset : 0, count = size < left ? size : left;

            memset(bytes, 0xff, sizeof(bytes));
            assert_int_equal(guest_pieces_read(&r->memory, chain.pieces, 2, offset, bytes, size),
                             count);
            for (unsigned i = 0; i < 64; i++)
                assert_int_equal(bytes[i], i < count ? offset + i : 0xff);
        }
    assert_int_equal(guest_pieces_write(&r->memory, chain.pieces + 2, 2, 2, "abcdefgh", 8), 5);
    assert_memory_equal(r->memory.base + DATA + 0x100, "\0\0a\0", 4);
    assert_memory_equal(r->memory.base + DATA + 0x200, "bcde\0", 5);
    assert_int_equal(guest_pieces_write(&r->memory, chain.pieces + 2, 2, 7, "x", 1), 0);
    rings_free(r);
}

/* A chain has 66 descriptors at most, wherever they are. */
static void long_chains(void **state)
{
    struct rings *r = rings_make(VIRTQ_MAX_SIZE);

    r->queue.indirect = true;
    for (unsigned length = 60; length <= 70; length++) {
        for (unsigned i = 0; i < length; i++)
            set_descriptor(r, DESCRIPTORS, i, DATA, 1, i + 1 < length ? NEXT : 0,
                           (uint16_t)(i + 1));
        offer(r, 0);
        assert_int_equal(virtq_next(&r->queue, &chain),
                         length <= VIRTQ_PIECES ? VIRTQ_CHAIN : VIRTQ_BROKEN);
        if (length <= VIRTQ_PIECES)
            assert_int_equal(chain.count, length);
        else
            r->queue.next_available++; /* past it */
        for (unsigned i = 0; i < length; i++)
            set_descriptor(r, TABLE, i, DATA, 1, i + 1 < length ? NEXT : 0, (uint16_t)(i + 1));
        set_descriptor(r, DESCRIPTORS, 0, TABLE, 16 * length, INDIRECT, 0);
        offer(r, 0);
        assert_int_equal(virtq_next(&r->queue, &chain),
                         length <= VIRTQ_PIECES ? VIRTQ_CHAIN : VIRTQ_BROKEN);
        if (length > VIRTQ_PIECES)
            r->queue.next_available++;
    }
    rings_free(r);
}

/* 2.7.7.2: "After the device writes a descriptor index into the used ring", for each of them. */
static bool must_notify(bool event_idx, uint16_t flags, uint16_t event, uint16_t first,
                        unsigned added)
{
    for (unsigned i = 0; i < added; i++) {
        uint16_t index = (uint16_t)(first + i); /* "which determined where that ... was placed" */

        if (event_idx ? index == event : !(flags & 1))
            return true;
    }
    return false;
}

/* From a position on, so many entries, with an event and flags. */
static void notify_once(struct rings *r, uint16_t first, unsigned count, uint16_t event, bool idx)
{
    uint16_t flags = random_word() & 1;

    r->queue.event_idx = idx;
    r->queue.next_used = r->queue.notified = first;
    set_16(r, AVAILABLE, flags);
    set_16(r, AVAILABLE + 4 + 2 * r->queue.size, event);
    for (unsigned i = 0; i < count; i++)
        virtq_put(&r->queue, 0, 0);
    assert_int_equal(virtq_wants_interrupt(&r->queue),
                     must_notify(idx, flags, event, first, count));
    assert_false(virtq_wants_interrupt(&r->queue)); /* once for each */
}

/* All events, at some positions. */
static void notification(void **state)
{
    static const uint16_t firsts[] = {0, 4, 0x7fff, 0xfffe, 0xffff};

    for (uint16_t size = 1; size <= 8; size *= 2) {
        struct rings *r = rings_make(size);

        for (unsigned f = 0; f < ARRAY_SIZE(firsts); f++)
            for (unsigned count = 0; count <= size; count++)
                for (uint32_t event = 0; event < 0x10000; event++)
                    notify_once(r, firsts[f], count, (uint16_t)event, true);
        rings_free(r);
    }
}

/* All positions, with the events around them. */
static void notification_positions(void **state)
{
    for (uint16_t size = 1; size <= 8; size *= 2) {
        struct rings *r = rings_make(size);

        for (uint32_t first = 0; first < 0x10000; first++)
            for (unsigned count = 0; count <= size; count++) {
                for (int event = -2; event <= size + 1; event++)
                    notify_once(r, (uint16_t)first, count, (uint16_t)(first + event), true);
                notify_once(r, (uint16_t)first, count, (uint16_t)first, false);
            }
        rings_free(r);
    }
}

/* 2.7.10: with EVENT_IDX the driver is told to notify of the next entry, whenever all are taken;
 * without it that field is left alone. */
static void available_event_of(uint16_t size, bool idx)
{
    struct rings *r = rings_make(size);

    r->queue.event_idx = idx;
    set_descriptor(r, DESCRIPTORS, 0, DATA, 1, 0, 0);
    for (unsigned i = 0; i < 70000; i++) {
        unsigned count = 1 + i % size;

        for (unsigned n = 0; n < count; n++)
            offer(r, 0);
        for (unsigned n = 0; n < count; n++)
            assert_int_equal(virtq_next(&r->queue, &chain), VIRTQ_CHAIN);
        assert_int_equal(virtq_next(&r->queue, &chain), VIRTQ_EMPTY);
        assert_int_equal(get_16(r, USED + 4 + 8 * size), idx ? r->queue.next_available : 0);
        assert_int_equal(r->queue.next_available, get_16(r, AVAILABLE + 2));
        for (unsigned n = 0; n < count; n++)
            virtq_put(&r->queue, 0, 0);
    }
    rings_free(r);
}

static void available_event(void **state)
{
    for (uint16_t size = 1; size <= 8; size *= 2)
        for (unsigned idx = 0; idx < 2; idx++)
            available_event_of(size, idx);
}

/* The model: a chain as the specification defines it, for rings below 66 descriptors. */

static uint8_t *model_memory;

static bool model_ram(uint64_t address, uint64_t size)
{
    return address < MEMORY && size <= MEMORY - address;
}

static bool model_follow(uint64_t table, unsigned entries, unsigned index, bool inside,
                         bool may_indirect, unsigned visited, struct virtq_chain *out)
{
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;

    if (index >= entries || visited >> index & 1)
        return false;
    memcpy(&address, model_memory + table + 16 * index, 8);
    memcpy(&size, model_memory + table + 16 * index + 8, 4);
    memcpy(&flags, model_memory + table + 16 * index + 12, 2);
    memcpy(&next, model_memory + table + 16 * index + 14, 2);
    if (flags & INDIRECT)
        return may_indirect && !inside && !(flags & NEXT) && size != 0 && size % 16 == 0 &&
               model_ram(address, size) &&
               model_follow(address, size / 16, 0, true, may_indirect, 0, out);
    if (!(flags & WRITE) && out->count > out->readable)
        return false;
    if (size > 0 && !model_ram(address, size))
        return false;
    if (size > 0) {
        out->pieces[out->count++] = (struct guest_piece){address, size};
        out->readable += !(flags & WRITE);
    }
    return !(flags & NEXT) ||
           model_follow(table, entries, next, inside, may_indirect, visited | 1u << index, out);
}

static void compare(struct rings *r, uint16_t head)
{
    struct virtq_chain expected = {.head = head};
    enum virtq_result result;

    model_memory = r->memory.base;
    r->queue.next_available = 0;
    set_16(r, AVAILABLE + 2, 1);
    set_16(r, AVAILABLE + 4, head);
    bool good =
        model_follow(DESCRIPTORS, r->queue.size, head, false, r->queue.indirect, 0, &expected);

    result = virtq_next(&r->queue, &chain);
    assert_int_equal(result, good ? VIRTQ_CHAIN : VIRTQ_BROKEN);
    if (!good)
        return;
    assert_int_equal(chain.head, head);
    assert_int_equal(chain.readable, expected.readable);
    assert_int_equal(chain.count, expected.count);
    for (unsigned i = 0; i < chain.count; i++) {
        assert_int_equal(chain.pieces[i].address, expected.pieces[i].address);
        assert_int_equal(chain.pieces[i].size, expected.pieces[i].size);
    }
}

/* A descriptor by number: in RAM, of no bytes, or beyond; any of `flag_count` flags; any next, one
 * of them out of range. */
static unsigned shape(struct rings *r, uint64_t table, unsigned index, unsigned number,
                      unsigned nexts)
{
    static const struct {
        uint64_t address;
        uint32_t size;
    } places[] = {{DATA, 16}, {MEMORY - 8, 16}, {UINT64_MAX, 0}};
    static const uint16_t flags[] = {0, WRITE, NEXT, NEXT | WRITE};
    unsigned place = number % 3, rest = number / 3, count = 3 * (2 + 2 * nexts);

    if (number < count) {
        unsigned flag = rest < 2 ? rest : 2 + (rest - 2) % 2;

        set_descriptor(r, table, index, places[place].address, places[place].size, flags[flag],
                       rest < 2 ? 0 : (uint16_t)((rest - 2) / 2));
    }
    return count;
}

static void all_direct(void **state)
{
    struct rings *r = rings_make(4);
    unsigned count = shape(r, DESCRIPTORS, 0, 0, 5);

    for (unsigned a = 0; a < count; a++) {
        shape(r, DESCRIPTORS, 0, a, 5);
        for (unsigned b = 0; b < count; b++) {
            shape(r, DESCRIPTORS, 1, b, 5);
            for (unsigned c = 0; c < count; c++) {
                shape(r, DESCRIPTORS, 2, c, 5);
                for (unsigned d = 0; d < count; d++) {
                    shape(r, DESCRIPTORS, 3, d, 5);
                    compare(r, 0); /* another head is another order of these */
                }
            }
        }
    }
    compare(r, 4);
    compare(r, 0xffff);
    rings_free(r);
}

/* One or two descriptors, the last of them indirect in every way, and a table of two. */
static void all_indirect(void **state)
{
    static const uint64_t tables[] = {TABLE, TABLE + 1, MEMORY - 32, MEMORY - 16, DESCRIPTORS};
    static const uint32_t sizes[] = {0, 8, 16, 17, 32, 0xfffffff0};
    struct rings *r = rings_make(4);
    unsigned count = shape(r, TABLE, 0, 0, 3) + 2;

    for (unsigned way = 0; way < 2 * 5 * 6 * 8; way++) {
        uint64_t table = tables[way / 2 % 5];

        r->queue.indirect = way % 2;
        for (unsigned a = 0; a < count; a++)
            for (unsigned b = 0; b < count; b++) {
                memset(r->memory.base, 0, 64);
                if (table > DESCRIPTORS && table + 32 <= MEMORY) {
                    set_descriptor(r, table, 0, DATA, 16, INDIRECT | (a & 1), 1);
                    shape(r, table, 0, a, 3);
                    set_descriptor(r, table, 1, DATA, 16, INDIRECT | (b & 1), 1);
                    shape(r, table, 1, b, 3);
                }
                set_descriptor(r, DESCRIPTORS, 0, DATA, 1, NEXT | (a & WRITE), 1);
                set_descriptor(r, DESCRIPTORS, 1, table, sizes[way / 10 % 6],
                               INDIRECT | (way / 60 & 3), 2);
                set_descriptor(r, DESCRIPTORS, 2, DATA, 2, WRITE, 0);
                compare(r, way / 240 % 2);
            }
    }
    rings_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(next_and_put),
        cmocka_unit_test(index_jumps),
        cmocka_unit_test(copies),
        cmocka_unit_test(long_chains),
        cmocka_unit_test(notification),
        cmocka_unit_test(notification_positions),
        cmocka_unit_test(available_event),
        cmocka_unit_test(all_direct),
        cmocka_unit_test(all_indirect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
