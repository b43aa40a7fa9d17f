/* SPDX-License-Identifier: BSD-2-Clause */
/* The VM's end of the channel to the console, with a console that takes when the test says so. */
#include <stdlib.h>
#include <string.h>

#include "monitor/console.h"
#include "monitor/gate.h"
#include "tests/native/monitor/fakes.h"

#define NUMBER 1

static struct process_info info;
static struct console c;
static struct channel_end server;
static char said[0x10000];
static size_t length;

static int setup(void **state)
{
    fakes_reset();
    fakes.channels = calloc(2, PROCESS_CHANNEL_STRIDE);
    info = (struct process_info){
        .channel_count = 2,
        .channels = {{.kind = PLAN_CHANNEL_BLOCK}, {.kind = PLAN_CHANNEL_CONSOLE}},
    };
    channel_open(&server, gate_channel(NUMBER), NUMBER, true);
    c = (struct console){0};
    console_open(&c, &info);
    fakes.notified = 0;
    length = 0;
    return 0;
}

static int teardown(void **state)
{
    free(fakes.channels);
    return 0;
}

/* The console takes entries, at most so many; whether it has told the monitor. */
static bool take(unsigned most)
{
    struct console_entry entry;

    fakes.notified = 0;
    while (most-- > 0 && channel_get(&server, &entry)) {
        assert_int_equal(entry.what, CONSOLE_TEXT);
        assert_in_range(entry.length, 1, CONSOLE_BYTES);
        memcpy(said + length, entry.bytes, entry.length);
        length += entry.length;
    }
    channel_flush(&server);
    return fakes.notified == 1u << NUMBER;
}

static void give(const char *text, enum console_what what)
{
    struct console_entry entry = {.length = (uint16_t)strlen(text), .what = (uint16_t)what};

    memcpy(entry.bytes, text, entry.length);
    assert_true(channel_put(&server, &entry));
    channel_flush(&server);
}

static size_t put(const char *text)
{
    return console_put(&c, text, strlen(text));
}

/* The first byte goes at once, and those behind it together when the console has taken it. */
static void gathers(void **state)
{
    channel_sleep(&server);
    for (const char *byte = "A whole line\n"; *byte != '\0'; byte++) {
        assert_int_equal(console_put(&c, byte, 1), 1);
        assert_int_equal(fakes.notified, 1u << NUMBER);
    }
    assert_true(take(10));
    assert_int_equal(length, 1);
    assert_true(console_events(&c, EVENT_CHANNEL(NUMBER)));
    assert_false(take(10));
    assert_int_equal(length, 13);
    assert_memory_equal(said, "A whole line\n", 13);
    assert_false(console_events(&c, EVENT_CHANNEL(NUMBER - 1)));
}

/* A console that takes nothing: the guest is told so, and what it could write is not lost, whenever
 * the VM ends. It hears when there is room again. */
static void no_room(void **state)
{
    size_t taken = 0;

    while (put("x") == 1)
        taken++;
    assert_int_equal(taken, 1 + CONSOLE_GATHERED);
    console_flush(&c);
    while (put("y") == 1)
        taken++;
    assert_in_range(taken, CHANNEL_ENTRIES * CONSOLE_BYTES / 2, CHANNEL_ENTRIES * CONSOLE_BYTES);
    console_flush(&c);
    assert_int_equal(put("z"), 0);
    assert_true(take(1));
    console_events(&c, EVENT_CHANNEL(NUMBER));
    take(CHANNEL_ENTRIES);
    assert_int_equal(length, taken);
    console_events(&c, EVENT_CHANNEL(NUMBER));
    assert_int_equal(put("z"), 1);
}

/* However the console and the guest take turns, all comes out, in order. */
static void all_in_order(void **state)
{
    size_t taken = 0;
    unsigned told = 1;

    for (unsigned i = 0; i < 40000; i++) {
        char byte = (char)('a' + taken % 26);
        taken += console_put(&c, &byte, 1);
        if (random_u64() % 500 == 0)
            console_flush(&c);
        if (random_u64() % 100 == 0 && take((unsigned)(random_u64() % 8)))
            told = 1;
        if (told && random_u64() % 50 == 0)
            told = !console_events(&c, EVENT_CHANNEL(NUMBER));
    }
    console_flush(&c);
    take(CHANNEL_ENTRIES);
    assert_in_range(taken, 5000, 40000);
    assert_int_equal(length, taken);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(said[i], 'a' + i % 26);
}

static void input(void **state)
{
    char got[100];

    give("ls -l", CONSOLE_TEXT);
    assert_int_equal(fakes.notified, 1u << NUMBER);
    give("\r", CONSOLE_TEXT);
    assert_int_equal(console_get(&c, got, sizeof(got)), 0);
    console_events(&c, EVENT_CHANNEL(NUMBER));
    assert_int_equal(console_get(&c, got, 2), 2);
    assert_int_equal(console_get(&c, got + 2, sizeof(got)), 4);
    assert_memory_equal(got, "ls -l\r", 6);
    assert_false(c.asked);
}

/* A guest that reads nothing loses what is too much; who asks where it is is heard nevertheless. */
static void input_that_nobody_reads(void **state)
{
    static char got[2 * CONSOLE_INPUT];

    for (unsigned i = 0; i < 2 * CONSOLE_INPUT / 8; i++) {
        give("12345678", CONSOLE_TEXT);
        console_events(&c, EVENT_CHANNEL(NUMBER));
    }
    give("", CONSOLE_ASK);
    console_events(&c, EVENT_CHANNEL(NUMBER));
    assert_true(c.asked);
    assert_int_equal(console_get(&c, got, sizeof(got)), CONSOLE_INPUT);
    assert_memory_equal(got + CONSOLE_INPUT - 8, "12345678", 8);
}

/* A console whose entries and positions make no sense. */
static void hostile(void **state)
{
    struct console_entry entry = {.length = UINT16_MAX, .what = UINT16_MAX};
    struct channel *pages = gate_channel(NUMBER);
    static char got[2 * CONSOLE_INPUT];

    channel_put(&server, &entry);
    console_events(&c, EVENT_CHANNEL(NUMBER));
    assert_in_range(console_get(&c, got, sizeof(got)), 0, CONSOLE_BYTES);
    for (unsigned i = 0; i < 100000; i++) {
        pages->ring[0].head = (uint32_t)random_u64() % 256 + c.channel.tail - 128;
        pages->ring[1].tail = (uint32_t)random_u64() % 256 + c.channel.head - 128;
        assert_in_range(put("text"), 0, 4);
        console_events(&c, EVENT_CHANNEL(NUMBER));
        assert_in_range(c.gathered, 0, CONSOLE_GATHERED);
        assert_in_range(console_get(&c, got, random_u64() % sizeof(got)), 0, CONSOLE_INPUT);
    }
}

/* What a VM without a console writes is dropped. */
static void none(void **state)
{
    info.channel_count = 1;
    c = (struct console){0};
    console_open(&c, &info);
    assert_int_equal(put("text"), 4);
    console_flush(&c);
    assert_false(console_events(&c, UINT64_MAX));
    assert_false(take(1));
    assert_int_equal(length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gathers, setup, teardown),
        cmocka_unit_test_setup_teardown(no_room, setup, teardown),
        cmocka_unit_test_setup_teardown(all_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(input, setup, teardown),
        cmocka_unit_test_setup_teardown(input_that_nobody_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(none, setup, teardown),
    };

    return cmocka_run_group_tests_name("the VM's console", tests, NULL, NULL);
}
