/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_virtqueue [SECONDS]: a whole guest memory of random bytes, or of rings that were good until
 * some bytes of them changed, and a device that takes what it finds. Whatever is there, each piece
 * that the queue hands out is RAM, nothing but the used ring is written, and it comes to an end.
 * The sanitizers see the rest. Without an argument it does as much each time.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/native/virtio/rings.h"

#define ROUNDS 400000UL

static unsigned long seconds;
static uint8_t before[MEMORY];

static uint16_t random_size(void)
{
    return (uint16_t)(1u << random_word() % 8);
}

/* Chains of a few descriptors, some with a table. */
static void build(struct rings *r)
{
    uint16_t size = r->queue.size;

    for (unsigned i = 0; i < size; i++) {
        bool last = random_word() % 3 == 0, indirect = last && random_word() % 3 == 0;

        set_descriptor(r, DESCRIPTORS, i, indirect ? TABLE : DATA + random_word() % 0x700,
                       indirect ? 16 * (1 + random_word() % 64) : random_word() % 0x100,
                       indirect ? INDIRECT
                       : last   ? WRITE
                                : NEXT | (random_word() % 4 == 0 ? WRITE : 0),
                       (uint16_t)(random_word() % size));
    }
    for (unsigned i = 0; i < 128; i++)
        set_descriptor(r, TABLE, i, DATA + random_word() % 0x700, random_word() % 0x100,
                       random_word() % 5 == 0 ? WRITE : NEXT, (uint16_t)(i + 1));
    for (unsigned i = 0; i < size; i++)
        set_16(r, AVAILABLE + 4 + 2 * i, (uint16_t)(random_word() % size));
}

static void mutate(struct rings *r)
{
    for (unsigned i = random_word() % 8; i > 0; i--)
        r->memory.base[random_word() % DATA] ^= (uint8_t)(1u << random_word() % 8);
}

static void noise(struct rings *r)
{
    for (unsigned i = 0; i < MEMORY; i += 8) {
        uint64_t word = random_word() & random_word();

        memcpy(r->memory.base + i, &word, sizeof(word));
    }
}

/* What is not the used ring is as it was. */
static void check_untouched(const struct rings *r)
{
    uint64_t start = r->queue.at.used, end = start + 6 + 8 * (uint64_t)r->queue.size;

    assert_memory_equal(r->memory.base, before, start);
    assert_memory_equal(r->memory.base + end, before + end, MEMORY - end);
}

static void check_chain(const struct rings *r, const struct virtq_chain *c)
{
    assert_true(c->count <= VIRTQ_PIECES && c->readable <= c->count);
    for (unsigned i = 0; i < c->count; i++)
        assert_true(c->pieces[i].size > 0 && c->pieces[i].address < MEMORY &&
                    c->pieces[i].size <= MEMORY - c->pieces[i].address);
}

static void run(struct rings *r)
{
    struct virtq_chain chain;
    unsigned taken = 0;

    while (virtq_next(&r->queue, &chain) == VIRTQ_CHAIN && taken++ < r->queue.size) {
        check_chain(r, &chain);
        virtq_put(&r->queue, chain.head, (uint32_t)guest_pieces_size(chain.pieces, chain.count));
    }
    virtq_wants_interrupt(&r->queue);
    check_untouched(r);
}

static void round_of(struct rings *r)
{
    r->queue = (struct virtqueue){.size = random_size(),
                                  .at.descriptors = DESCRIPTORS,
                                  .at.available = AVAILABLE,
                                  .at.used = USED,
                                  .event_idx = random_word() & 1,
                                  .indirect = random_word() % 8 != 0};
    if (random_word() % 8 == 0)
        noise(r);
    else
        build(r);
    set_16(r, AVAILABLE + 2, (uint16_t)(random_word() % (r->queue.size + 1)));
    mutate(r);
    if (random_word() % 4 == 0)
        r->queue.at.used = align_down(random_word() % (MEMORY - 0x500), 4);
    if (!virtq_enable(&r->queue, &r->memory))
        return;
    r->queue.next_available = (uint16_t)(random_word() % 16 == 0 ? random_word() : 0);
    memcpy(before, r->memory.base, MEMORY);
    run(r);
}

static void fuzz(void **state)
{
    struct rings *r = rings_make(4);
    time_t end = time(NULL) + (time_t)seconds;

    for (unsigned long i = 0; seconds == 0 ? i < ROUNDS : time(NULL) < end; i++)
        round_of(r);
    rings_free(r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fuzz)};

    if (argc > 1)
        seconds = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
