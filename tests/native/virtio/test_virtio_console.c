/* SPDX-License-Identifier: BSD-2-Clause */
/* The console device (virtio 1.2, 5.3), from a driver's ports to the console at the end of a
 * channel. */
#include <string.h>

#include "tests/native/virtio/driver.h"

enum { RECEIVE, TRANSMIT };

#define NEXT     1
#define WRITE    2
#define INDIRECT 4
#define TABLE    0x1f000
#define DATA     0x40000
#define THR      0x3f8
#define LSR      0x3fd
#define READY    1

static struct board *b;
static struct driver d;
static struct process_info process;

static void make(const char *label, bool silent)
{
    fakes_reset();
    process = *fakes.process;
    process.channels[0].read_only = silent;
    strcpy(process.channels[0].label, label);
    fakes.process = &process;
    b = fake_board_with(64 << 20, NULL);
}

static int setup(void **state)
{
    make(CONSOLE_VIRTIO, false);
    driver_find(&d, b, 1);
    driver_start(&d, UINT64_MAX);
    return 0;
}

static int teardown(void **state)
{
    fake_board_free(b);
    return 0;
}

static void type(const char *text)
{
    fake_console_type(text, CONSOLE_TEXT);
    board_events(b, EVENT_CHANNEL(0));
}

static uint8_t *at(uint64_t address)
{
    return driver_memory(&d, address);
}

/* Has the driver transmit a text from this address on, with a head of its own. */
static void transmit(uint16_t head, uint64_t address, const char *text)
{
    memcpy(at(address), text, strlen(text));
    driver_describe(&d, TRANSMIT, head, address, (uint32_t)strlen(text), 0, 0);
    driver_offer(&d, TRANSMIT, head);
}

static void give_buffer(uint16_t head, uint64_t address, uint32_t size)
{
    memset(at(address), 0, size + 1);
    driver_describe(&d, RECEIVE, head, address, size, WRITE, 0);
    driver_offer(&d, RECEIVE, head);
}

static void expect_used(unsigned queue, int head, uint32_t size)
{
    uint32_t written = 0;

    assert_int_equal(driver_take(&d, queue, &written), head);
    if (head >= 0)
        assert_int_equal(written, size);
}

static void expect_output(const char *text)
{
    fake_console_take_all(b);
    assert_int_equal(fakes.output_size, strlen(text));
    assert_memory_equal(fakes.output, text, strlen(text));
    fakes.output_size = 0;
}

static void identity(void **state)
{
    assert_int_equal(driver_config(&d, 0, 4), 0x10431af4);
    assert_int_equal(driver_config(&d, 10, 2), 0x0780); /* communication, other */
    assert_int_equal(driver_get(&d, QUEUES, 2), 2);
    for (unsigned offset = 0; offset < 12; offset += 4)
        assert_int_equal(board_load(b, 0, d.config + offset, 4), 0);
    driver_set(&d, OFFERED_SELECT, 4, 0);
    assert_int_equal(driver_get(&d, OFFERED, 4), (uint32_t)(RING_INDIRECT | RING_EVENT_IDX));
}

/* Only where the description says so, and never for a VM without a console. */
static void not_there(void **state)
{
    static const struct {
        const char *label;
        bool silent;
    } cases[] = {{"", false}, {"virtio", true}, {"virtio2", false}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        fake_board_free(b);
        make(cases[i].label, cases[i].silent);
        d.board = b;
        assert_int_equal(driver_config(&d, 0, 4), UINT32_MAX);
        type("x"); /* is for the UART */
        assert_int_equal(board_in(b, 0, LSR, 1) & READY, READY);
        assert_int_equal(board_in(b, 0, THR, 1), 'x');
    }
}

static void output(void **state)
{
    transmit(0, DATA, "Hello,");
    expect_used(TRANSMIT, 0, 0);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(fakes.message_data[0], TEST_VECTOR + QUEUE_ENTRY(TRANSMIT));
    board_out(b, 0, THR, 1, ' '); /* the UART's come between */
    memcpy(at(DATA), "worse\nld", 8);
    driver_describe(&d, TRANSMIT, 1, DATA, 3, NEXT, 2);
    driver_describe(&d, TRANSMIT, 2, DATA + 6, 2, NEXT, 3);
    driver_describe(&d, TRANSMIT, 3, DATA + 5, 1, NEXT, 4);
    driver_describe(&d, TRANSMIT, 4, DATA, 0, 0, 0);
    driver_offer(&d, TRANSMIT, 1);
    expect_used(TRANSMIT, 1, 0);
    expect_output("Hello, world\n");
    driver_describe(&d, TRANSMIT, 5, DATA, 5, WRITE, 0); /* nothing to transmit */
    driver_offer(&d, TRANSMIT, 5);
    expect_used(TRANSMIT, 5, 0);
    expect_output("");
}

static char noise(uint64_t i)
{
    return (char)('!' + i % 89);
}

/* The console takes a few entries at a time: a chain is used when all of it is taken, and nothing
 * is lost or changes places. */
static void output_that_waits(void **state)
{
    const uint32_t size = 3 * CONSOLE_GATHERED;
    uint32_t written;
    uint64_t seen = 0;
    unsigned used = 0;

    for (uint32_t i = 0; i < 3 * size; i++)
        *at(DATA + i) = (uint8_t)noise(i);
    for (uint16_t i = 0; i < 3; i++) {
        driver_describe(&d, TRANSMIT, i, DATA + i * size, size, 0, 0);
        driver_offer(&d, TRANSMIT, i);
    }
    expect_used(TRANSMIT, -1, 0);
    while (seen < 3 * size) {
        size_t before = fakes.output_size = 0;

        fake_console_take(b, 3);
        assert_true(fakes.output_size > before);
        for (size_t i = 0; i < fakes.output_size; i++)
            assert_int_equal(fakes.output[i], noise(seen++));
        while (driver_take(&d, TRANSMIT, &written) >= 0)
            used++;
        assert_true(used * (uint64_t)size <=
                    seen + CONSOLE_GATHERED + CHANNEL_ENTRIES * CONSOLE_BYTES);
    }
    assert_int_equal(used, 3);
}

/* However much there is, one look moves no more than the console has room for. */
static void flood(void **state)
{
    for (uint16_t i = 0; i < 64; i++) {
        uint64_t address = 0x100000;
        uint32_t size = 32 << 20;
        uint16_t flags = i < 63 ? NEXT : 0, next = i + 1;

        memcpy(at(TABLE + 16 * i), &address, 8);
        memcpy(at(TABLE + 16 * i + 8), &size, 4);
        memcpy(at(TABLE + 16 * i + 12), &flags, 2);
        memcpy(at(TABLE + 16 * i + 14), &next, 2);
    }
    for (uint16_t i = 0; i < TEST_SIZE; i++) {
        driver_describe(&d, TRANSMIT, i, TABLE, 64 * 16, INDIRECT, 0);
        driver_offer(&d, TRANSMIT, i);
    }
    assert_true(b->virtio_console.sent <= CHANNEL_ENTRIES * CONSOLE_BYTES);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t before = b->virtio_console.sent;

        fake_console_take(b, CHANNEL_ENTRIES);
        assert_true(b->virtio_console.sent > before);
        assert_true(b->virtio_console.sent - before <= CHANNEL_ENTRIES * CONSOLE_BYTES);
    }
    expect_used(TRANSMIT, -1, 0);
}

static void input(void **state)
{
    give_buffer(0, DATA, 5);
    give_buffer(1, DATA + 100, 5);
    expect_used(RECEIVE, -1, 0);
    type("one");
    expect_used(RECEIVE, 0, 3);
    assert_string_equal((char *)at(DATA), "one");
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(fakes.message_data[0], TEST_VECTOR + QUEUE_ENTRY(RECEIVE));
    type("and two");
    expect_used(RECEIVE, 1, 5);
    assert_string_equal((char *)at(DATA + 100), "and t");
    expect_used(RECEIVE, -1, 0);
    give_buffer(2, DATA, 1);
    expect_used(RECEIVE, 2, 1);
    give_buffer(3, DATA + 10, 100);
    expect_used(RECEIVE, 3, 1);
    assert_string_equal((char *)at(DATA), "w");
    assert_string_equal((char *)at(DATA + 10), "o");
    assert_int_equal(board_in(b, 0, LSR, 1) & READY, 0); /* none of it is the UART's */
}

/* What comes before there is a driver waits for it, as much as is kept. */
static void input_that_waits(void **state)
{
    char text[CONSOLE_BYTES + 1];
    uint32_t written, all = 0, sum = 0;

    driver_set(&d, STATUS, 1, 0);
    for (unsigned i = 0; i < 2 * CONSOLE_INPUT;) {
        unsigned n = 0;

        while (n < 32)
            text[n++] = noise(i++);
        text[n] = '\0';
        type(text);
    }
    driver_start(&d, UINT64_MAX);
    for (unsigned i = 0; i < CONSOLE_INPUT; i += sum) {
        give_buffer(0, DATA, 100);
        for (sum = 0; driver_take(&d, RECEIVE, &written) >= 0; sum += written)
            for (unsigned k = 0; k < written; k++)
                assert_int_equal(*at(DATA + k), noise(i + k));
        assert_true(sum > 0);
        all += sum;
    }
    assert_int_equal(all, CONSOLE_INPUT);
    give_buffer(0, DATA, 100);
    expect_used(RECEIVE, -1, 0);
}

/* A buffer that is none takes nothing, and what was typed is for the next. */
static void odd_buffers(void **state)
{
    driver_describe(&d, RECEIVE, 0, DATA, 10, 0, 0); /* the device may not write it */
    driver_offer(&d, RECEIVE, 0);
    driver_describe(&d, RECEIVE, 1, DATA, 0, WRITE, 0);
    driver_offer(&d, RECEIVE, 1);
    driver_describe(&d, RECEIVE, 2, DATA + 0x100, 2, WRITE, 0);
    driver_describe(&d, RECEIVE, 3, DATA, 3, NEXT, 2);
    driver_offer(&d, RECEIVE, 3);
    memset(at(DATA), 0, 0x200);
    type("typed");
    expect_used(RECEIVE, 0, 0);
    expect_used(RECEIVE, 1, 0);
    expect_used(RECEIVE, 3, 2);
    assert_string_equal((char *)at(DATA), "");
    assert_string_equal((char *)at(DATA + 0x100), "ty");
    give_buffer(4, DATA, 10);
    expect_used(RECEIVE, 4, 3);
    assert_string_equal((char *)at(DATA), "ped");
}

/* The device stops: its queues are looked at no more, and the UART still writes. */
static void broken(void **state)
{
    driver_describe(&d, TRANSMIT, 0, UINT64_MAX - 5, 10, 0, 0);
    driver_offer(&d, TRANSMIT, 0);
    assert_int_equal(driver_get(&d, STATUS, 1) & NEEDS_RESET, NEEDS_RESET);
    give_buffer(0, DATA, 10);
    type("for later");
    expect_used(RECEIVE, -1, 0);
    board_out(b, 0, THR, 1, '!');
    expect_output("!");
    driver_start(&d, UINT64_MAX);
    give_buffer(0, DATA, 20);
    expect_used(RECEIVE, 0, 9);
}

/* What was not taken of a chain is the driver's again: no byte of it is looked at. */
static void reset(void **state)
{
    const uint32_t size = 4 * CONSOLE_GATHERED;

    memset(at(DATA), 'a', size);
    driver_describe(&d, TRANSMIT, 0, DATA, size, 0, 0);
    driver_offer(&d, TRANSMIT, 0);
    assert_true(b->virtio_console.sending);
    driver_set(&d, STATUS, 1, 0);
    assert_int_equal(driver_get(&d, STATUS, 1), 0);
    memset(at(DATA), 'b', size);
    do {
        fakes.output_size = 0;
        fake_console_take(b, 5);
        for (size_t i = 0; i < fakes.output_size; i++)
            assert_int_equal(fakes.output[i], 'a');
    } while (fakes.output_size > 0);
    driver_start(&d, UINT64_MAX);
    transmit(0, DATA, "after it");
    expect_used(TRANSMIT, 0, 0);
    expect_output("after it");
    memset(at(DATA), 'a', size); /* and so is it when the machine starts anew */
    driver_describe(&d, TRANSMIT, 0, DATA, size, 0, 0);
    driver_offer(&d, TRANSMIT, 0);
    board_reset(b);
    assert_false(b->virtio_console.sending);
    fake_console_take_all(b);
    driver_start(&d, UINT64_MAX);
    fakes.output_size = 0;
    transmit(0, DATA, "again");
    expect_output("again");
}

/* Rings and buffers of chance: the sanitizers see the rest. */
static void random_rings(void **state)
{
    for (unsigned i = 0; i < 100000; i++) {
        unsigned queue = random_u64() % 2, slot = random_u64() % TEST_SIZE;
        uint64_t address = random_u64() % 16 ? DATA + random_u64() % 0x10000 : random_u64();

        driver_describe(&d, queue, slot, address,
                        random_u64() % 8 ? random_u64() % 0x1000 : (uint32_t)random_u64(),
                        random_u64() % 8, (uint16_t)(random_u64() % TEST_SIZE));
        driver_offer(&d, queue, (uint16_t)(random_u64() % (TEST_SIZE + 1)));
        if (random_u64() % 4 == 0)
            type("noise");
        fakes.output_size = 0;
        if (random_u64() % 4 == 0)
            fake_console_take(b, 1 + random_u64() % 8);
        if (driver_get(&d, STATUS, 1) & NEEDS_RESET)
            driver_start(&d, random_u64() | VERSION_1);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(identity), TEST(not_there), TEST(output),           TEST(output_that_waits),
        TEST(flood),    TEST(input),     TEST(input_that_waits), TEST(odd_buffers),
        TEST(broken),   TEST(reset),     TEST(random_rings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
