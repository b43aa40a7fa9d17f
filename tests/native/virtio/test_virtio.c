/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio over PCI, statement by statement (virtio 1.2, 2.1 and 4.1), as a driver reaches it through
 * ports and memory. */
#include <string.h>

#include "monitor/exit.h"
#include "tests/native/virtio/driver.h"

#define DATA 0x1000

static struct board *b;
static struct driver d;

/* A device that notes what it is asked, beside the entropy device. */
static struct {
    struct virtio virtio;
    unsigned kicks[2], resets;
    bool busy;
    uint8_t config[10];
} echo;

static void echo_kick(struct virtio *v, unsigned queue)
{
    struct virtq_chain chain;

    echo.kicks[queue]++;
    while (virtio_next(v, queue, &chain))
        virtq_put(&v->r.queue[queue], chain.head, 0);
    virtio_interrupt(v, queue);
}

static bool echo_reset(struct virtio *v)
{
    echo.resets++;
    return !echo.busy;
}

static const struct virtio_kind echo_kind = {
    .id = 7, .class = 0x018000, .queues = 2, .kick = echo_kick, .reset = echo_reset};

static int setup(void **state)
{
    b = fake_board(64 << 20);
    memset(&echo, 0, sizeof(echo));
    memcpy(echo.config, "0123456789", 10);
    echo.virtio.config_size = sizeof(echo.config);
    echo.virtio.offered = VERSION_1 | RING_EVENT_IDX | 2;
    assert_true(virtio_init(&echo.virtio, &echo_kind, &echo, echo.config, &b->pci, &b->memory));
    driver_find(&d, b, 1);
    return 0;
}

static int teardown(void **state)
{
    fake_board_free(b);
    return 0;
}

/* 4.1.2 */
static void identity(void **state)
{
    assert_int_equal(driver_config(&d, 0, 4), 0x10471af4);
    assert_int_equal(driver_config(&d, 8, 4), 0x01800001);    /* revision 1 or higher */
    assert_int_equal(driver_config(&d, 0x2c, 4), 0x10471af4); /* subsystem 0x40 or higher */
    assert_int_equal(driver_config(&d, 0x3d, 1), 0);          /* no INTx */
    assert_int_equal(driver_config(&d, 0x0e, 1), 0);
    assert_int_equal(driver_get(&d, QUEUES, 2), 2);
}

/* 4.1.4: each structure is there, where its capability says. */
static void structures(void **state)
{
    assert_int_equal(d.common, 0xe0000000);
    assert_int_equal(d.isr, 0xe0000040);
    assert_int_equal(d.config, 0xe0000100);
    assert_int_equal(d.msix, 0xe0001000);
    assert_int_equal(d.notify, 0xc000);
    assert_int_equal(d.multiplier, 4);
    assert_int_equal(board_load(b, 0, d.config, 4), 0x33323130);
    assert_int_equal(board_load(b, 0, d.config + 8, 4), 0x00003938);
    assert_int_equal(board_load(b, 0, d.config + 9, 1), '9');
    assert_int_equal(board_load(b, 0, d.config + 0x80, 4), 0);
    assert_int_equal(board_load(b, 0, 0xe0000080, 4), 0);
    for (unsigned offset = 56; offset < 64; offset++)
        assert_int_equal(driver_get(&d, offset, 1), 0);
}

/* 4.1.4.3.1 */
static void after_reset(void **state)
{
    assert_int_equal(driver_get(&d, STATUS, 1), 0);
    assert_int_equal(driver_get(&d, CONFIG_VECTOR, 2), 0xffff);
    for (unsigned queue = 0; queue < 4; queue++) {
        driver_set(&d, QUEUE_SELECT, 2, queue);
        assert_int_equal(driver_get(&d, QUEUE_SELECT, 2), queue);
        assert_int_equal(driver_get(&d, QUEUE_SIZE, 2), queue < 2 ? 128 : 0);
        assert_int_equal(driver_get(&d, QUEUE_VECTOR, 2), 0xffff);
        assert_int_equal(driver_get(&d, QUEUE_ENABLE, 2), 0);
        assert_int_equal(driver_get(&d, QUEUE_DESC, 4), 0);
    }
}

/* 2.2, 3.1.1 */
static void features(void **state)
{
    static const struct {
        uint64_t accepted;
        bool good;
    } cases[] = {
        {VERSION_1, true},
        {VERSION_1 | RING_EVENT_IDX | 2, true},
        {RING_EVENT_IDX | 2, false}, /* a legacy driver */
        {VERSION_1 | 4, false},      /* not offered */
        {VERSION_1 | 1ULL << 33, false},
    };

    for (uint32_t select = 0; select < 4; select++) {
        driver_set(&d, OFFERED_SELECT, 4, select);
        assert_int_equal(driver_get(&d, OFFERED, 4),
                         select == 0 ? (RING_EVENT_IDX | 2) : select == 1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        driver_set(&d, STATUS, 1, 0);
        driver_set(&d, STATUS, 1, ACKNOWLEDGE | DRIVER);
        for (unsigned half = 0; half < 3; half++) {
            driver_set(&d, ACCEPTED_SELECT, 4, half);
            driver_set(&d, ACCEPTED, 4, half < 2 ? (uint32_t)(cases[i].accepted >> 32 * half) : 9);
        }
        driver_set(&d, STATUS, 1, ACKNOWLEDGE | DRIVER | FEATURES_OK);
        assert_int_equal(driver_get(&d, STATUS, 1),
                         ACKNOWLEDGE | DRIVER | (cases[i].good ? FEATURES_OK : 0));
        driver_set(&d, ACCEPTED_SELECT, 4, 0);
        driver_set(&d, ACCEPTED, 4, 0); /* too late, where they are taken */
        assert_int_equal(driver_get(&d, ACCEPTED, 4),
                         cases[i].good ? (uint32_t)cases[i].accepted : 0);
    }
}

/* 4.1.3.1: a field is written by an access of its own width. */
static void widths(void **state)
{
    driver_set(&d, QUEUE_SELECT, 2, 1);
    driver_set(&d, QUEUE_SELECT, 1, 0);
    assert_int_equal(driver_get(&d, QUEUE_SELECT, 2), 1);
    driver_set(&d, STATUS, 4, 1);
    driver_set(&d, STATUS, 2, 1);
    assert_int_equal(driver_get(&d, STATUS, 1), 0);
    board_store(b, 0, d.common + QUEUE_DESC, 8, 0x123456789abcdef0); /* as two of 4 */
    assert_int_equal(board_load(b, 0, d.common + QUEUE_DESC, 8), 0x123456789abcdef0);
    driver_set(&d, QUEUE_DESC + 4, 4, 0);
    assert_int_equal(board_load(b, 0, d.common + QUEUE_DESC, 8), 0x9abcdef0);
}

static void queue_sizes(void **state)
{
    for (uint32_t size = 0; size < 0x10000; size++) {
        bool good = size != 0 && size <= 128 && (size & (size - 1)) == 0;

        driver_set(&d, QUEUE_SIZE, 2, 4);
        driver_set(&d, QUEUE_SIZE, 2, size);
        assert_int_equal(driver_get(&d, QUEUE_SIZE, 2), good ? size : 4);
    }
}

/* Once a queue is enabled only a reset changes where it is. */
static void queue_enabled(void **state)
{
    driver_start(&d, VERSION_1);
    driver_set(&d, QUEUE_SELECT, 2, 0);
    assert_int_equal(driver_get(&d, QUEUE_ENABLE, 2), 1);
    driver_set(&d, QUEUE_SIZE, 2, 4);
    driver_set(&d, QUEUE_DESC, 4, 0);
    driver_set(&d, QUEUE_ENABLE, 2, 0);
    assert_int_equal(driver_get(&d, QUEUE_ENABLE, 2), 1);
    assert_int_equal(driver_get(&d, QUEUE_SIZE, 2), TEST_SIZE);
    assert_int_equal(driver_get(&d, QUEUE_DESC, 4), RINGS_AT);
    driver_set(&d, STATUS, 1, 0);
    assert_int_equal(driver_get(&d, QUEUE_ENABLE, 2), 0);
    assert_int_equal(driver_get(&d, QUEUE_DESC, 4), 0);
    assert_int_equal(driver_get(&d, STATUS, 1), 0);
}

/* A kick reaches its queue; the message of its vector comes back. */
static void kicks(void **state)
{
    uint32_t written;

    driver_start(&d, VERSION_1);
    for (unsigned queue = 0; queue < 2; queue++) {
        driver_describe(&d, queue, 3, DATA, 16, 0, 0);
        driver_offer(&d, queue, 3);
        assert_int_equal(echo.kicks[queue], 1);
        assert_int_equal(driver_take(&d, queue, &written), 3);
        assert_int_equal(fakes.messages, queue + 1);
        assert_int_equal(fakes.message_address[queue], MESSAGE_BASE);
        assert_int_equal(fakes.message_data[queue], TEST_VECTOR + QUEUE_ENTRY(queue));
    }
    board_out(b, 0, 0xc008, 2, 0); /* a queue that is not there */
    assert_int_equal(board_in(b, 0, 0xc000, 4), UINT32_MAX);
    assert_int_equal(echo.kicks[0] + echo.kicks[1], 2);
    assert_int_equal(board_load(b, 0, d.isr, 1), 0); /* MSI-X has no use for it */
}

/* 2.1.2: before DRIVER_OK, without bus mastering, or after a reset nothing is taken. */
static void not_running(void **state)
{
    driver_start(&d, VERSION_1);
    driver_set_config(&d, 4, 2, 3);
    driver_offer(&d, 0, 0);
    driver_set_config(&d, 4, 2, 7);
    driver_set(&d, STATUS, 1, 0);
    driver_kick(&d, 0);
    driver_set(&d, STATUS, 1, DRIVER_OK);
    driver_kick(&d, 0);
    assert_int_equal(echo.kicks[0], 0);
}

/* The PCI specification's rules for masks: what comes meanwhile is pending, and sent once. */
static void masks(void **state)
{
    uint64_t pending = d.msix + 0x800, control = d.msix + 16 * QUEUE_ENTRY(0) + 12;

    driver_start(&d, VERSION_1);
    driver_describe(&d, 0, 0, DATA, 16, 0, 0);
    board_store(b, 0, control, 4, 1);
    driver_offer(&d, 0, 0);
    driver_offer(&d, 0, 0);
    assert_int_equal(fakes.messages, 0);
    assert_int_equal(board_load(b, 0, pending, 4), 1 << QUEUE_ENTRY(0));
    board_store(b, 0, pending, 4, 0); /* read-only */
    board_store(b, 0, control, 4, 0);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(board_load(b, 0, pending, 8), 0);
    driver_set_config(&d, 0x42, 2, 0xc000);
    assert_int_equal(driver_config(&d, 0x42, 2), 0xc002); /* three vectors */
    driver_offer(&d, 0, 0);
    assert_int_equal(fakes.messages, 1);
    driver_set_config(&d, 0x42, 2, 0x8000);
    assert_int_equal(fakes.messages, 2);
    assert_int_equal(fakes.message_data[1], TEST_VECTOR + QUEUE_ENTRY(0));
}

/* 2.4.1: behind a reset nothing of before it is told. */
static void masked_over_reset(void **state)
{
    uint64_t control = d.msix + 16 * QUEUE_ENTRY(0) + 12;

    driver_start(&d, VERSION_1);
    driver_describe(&d, 0, 0, DATA, 16, 0, 0);
    board_store(b, 0, control, 4, 1);
    driver_offer(&d, 0, 0);
    driver_set(&d, STATUS, 1, 0);
    assert_int_equal(board_load(b, 0, d.msix + 0x800, 4), 0);
    board_store(b, 0, control, 4, 0);
    assert_int_equal(fakes.messages, 0);
}

/* 4.1.5.1.2.1: a vector that there is not is none. */
static void vectors(void **state)
{
    driver_start(&d, VERSION_1);
    driver_set(&d, QUEUE_SELECT, 2, 0);
    for (unsigned vector = 0; vector < 0x10000; vector += vector < 8 ? 1 : 0xff) {
        driver_set(&d, QUEUE_VECTOR, 2, vector);
        driver_set(&d, CONFIG_VECTOR, 2, vector);
        assert_int_equal(driver_get(&d, QUEUE_VECTOR, 2), vector < 3 ? vector : 0xffff);
        assert_int_equal(driver_get(&d, CONFIG_VECTOR, 2), vector < 3 ? vector : 0xffff);
    }
    driver_describe(&d, 0, 0, DATA, 16, 0, 0);
    driver_offer(&d, 0, 0);
    assert_int_equal(fakes.messages, 0);
}

/* 4.1.4.5: without MSI-X the ISR status tells, until it is read. */
static void isr(void **state)
{
    driver_start(&d, VERSION_1);
    driver_set_config(&d, 0x42, 2, 0);
    driver_describe(&d, 0, 0, DATA, 16, 0, 0);
    driver_offer(&d, 0, 0);
    assert_int_equal(fakes.messages, 0);
    assert_int_equal(driver_config(&d, 6, 2), 0x18); /* PCI status: an interrupt */
    assert_int_equal(board_load(b, 0, d.isr, 1), 1);
    assert_int_equal(board_load(b, 0, d.isr, 1), 0);
    assert_int_equal(driver_config(&d, 6, 2), 0x10);
    driver_describe(&d, 0, 0, UINT64_MAX, 16, 0, 0);
    driver_offer(&d, 0, 0);
    assert_int_equal(board_load(b, 0, d.isr, 1), 2);
}

/* 2.1.2: what is no ring stops the device, and the driver hears of it once. */
static void needs_reset(void **state)
{
    driver_start(&d, VERSION_1);
    driver_describe(&d, 0, 0, UINT64_MAX, 16, 0, 0);
    driver_describe(&d, 0, 1, DATA, 16, 0, 0);
    driver_offer(&d, 0, 0);
    assert_int_equal(driver_get(&d, STATUS, 1) & NEEDS_RESET, NEEDS_RESET);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(fakes.message_data[0], TEST_VECTOR + CONFIG_ENTRY);
    driver_offer(&d, 0, 1);
    driver_offer(&d, 1, 1);
    assert_int_equal(echo.kicks[0], 1);
    assert_int_equal(echo.kicks[1], 0);
    driver_set(&d, STATUS, 1, ACKNOWLEDGE); /* a driver cannot take it back */
    assert_int_equal(driver_get(&d, STATUS, 1) & NEEDS_RESET, NEEDS_RESET);
    driver_start(&d, VERSION_1);
    driver_describe(&d, 0, 0, DATA, 16, 0, 0);
    driver_offer(&d, 0, 0);
    assert_int_equal(fakes.messages, 2);
    assert_int_equal(fakes.message_data[1], TEST_VECTOR + QUEUE_ENTRY(0));
}

/* Rings where no memory is. */
static void wild_rings(void **state)
{
    driver_set(&d, QUEUE_DESC + 4, 4, 1);
    driver_set(&d, QUEUE_ENABLE, 2, 1);
    assert_int_equal(driver_get(&d, QUEUE_ENABLE, 2), 0);
    assert_int_equal(driver_get(&d, STATUS, 1), NEEDS_RESET);
}

/* 4.1.4.3.1: a reset that has to wait reads as none yet. */
static void slow_reset(void **state)
{
    driver_start(&d, VERSION_1);
    echo.busy = true;
    driver_set(&d, STATUS, 1, 0);
    assert_int_not_equal(driver_get(&d, STATUS, 1), 0);
    driver_set(&d, STATUS, 1, DRIVER_OK);
    driver_kick(&d, 0);
    assert_int_equal(echo.kicks[0], 0);
    virtio_reset_done(&echo.virtio);
    assert_int_equal(driver_get(&d, STATUS, 1), 0);
    driver_set(&d, STATUS, 1, ACKNOWLEDGE);
    virtio_reset_done(&echo.virtio); /* there is none to be done */
    assert_int_equal(driver_get(&d, STATUS, 1), ACKNOWLEDGE);
}

static unsigned doorbell_count(void)
{
    unsigned count = 0;

    for (unsigned port = 0; port < 0x10000; port++)
        count += fakes.doorbells[port] != 0;
    return count;
}

/* Ring 0 takes kicks while the driver runs, where the BAR is, and its bits lead to the queues. */
static void doorbells(void **state)
{
    uint32_t written;

    assert_int_equal(doorbell_count(), 0);
    driver_start(&d, VERSION_1);
    assert_int_equal(doorbell_count(), 2);
    assert_int_equal(fakes.doorbells[0xc000], 1 + 4);
    assert_int_equal(fakes.doorbells[0xc004], 1 + 5);
    driver_set_config(&d, 0x10, 4, 0xcf20);
    assert_int_equal(fakes.doorbells[0xcf20], 1 + 4);
    assert_int_equal(fakes.doorbells[0xcf24], 1 + 5);
    assert_int_equal(doorbell_count(), 2);
    driver_set_config(&d, 0x10, 4, 0x3f0); /* the UART's ports stay the UART's */
    assert_int_equal(doorbell_count(), 0);
    driver_set_config(&d, 0x10, 4, 0xc000);
    assert_int_equal(doorbell_count(), 2);
    driver_set_config(&d, 4, 2, 6); /* no ports */
    assert_int_equal(doorbell_count(), 0);
    driver_set_config(&d, 4, 2, 3); /* no bus mastering */
    assert_int_equal(doorbell_count(), 0);
    driver_set_config(&d, 4, 2, 7);
    assert_int_equal(doorbell_count(), 2);
    driver_describe(&d, 1, 0, DATA, 16, 0, 0);
    driver_offer(&d, 1, 0);
    driver_take(&d, 1, &written);
    board_kicks(b, 1 << 5);
    assert_int_equal(echo.kicks[1], 2);
    exit_handle(b, 0, &(struct exit_page){.events = EVENT_KICK, .kicks = UINT64_MAX ^ 1 << 5});
    assert_int_equal(echo.kicks[1], 2);
    assert_int_equal(echo.kicks[0], 1);
    board_kicks(b, UINT64_MAX); /* what nobody has */
    assert_int_equal(echo.kicks[0], 2);
    assert_int_equal(echo.kicks[1], 3);
    driver_set(&d, STATUS, 1, 0);
    assert_int_equal(doorbell_count(), 0);
    board_kicks(b, UINT64_MAX);
    assert_int_equal(echo.kicks[1], 3);
    driver_start(&d, VERSION_1);
    board_reset(b);
    assert_true(virtio_init(&echo.virtio, &echo_kind, &echo, echo.config, &b->pci, &b->memory));
    assert_int_equal(doorbell_count(), 0);
}

/* 4.1.4.9: all of it through the configuration space. */
static void window(void **state)
{
    unsigned at = 0x4c + 16 + 20 + 16;

    assert_int_equal(driver_config(&d, at + 3, 1), 5);
    driver_set_config(&d, at + 4, 1, 1);
    driver_set_config(&d, at + 8, 4, STATUS);
    driver_set_config(&d, at + 12, 4, 1);
    driver_set_config(&d, at + 16, 1, ACKNOWLEDGE);
    assert_int_equal(driver_get(&d, STATUS, 1), ACKNOWLEDGE);
    assert_int_equal(driver_config(&d, at + 16, 1), ACKNOWLEDGE);
    driver_set_config(&d, at + 8, 4, QUEUE_SIZE);
    driver_set_config(&d, at + 12, 4, 2);
    assert_int_equal(driver_config(&d, at + 16, 2), 128);
    driver_start(&d, VERSION_1);
    driver_set_config(&d, at + 4, 1, 0);
    driver_set_config(&d, at + 8, 4, 4);
    driver_set_config(&d, at + 16, 2, 1);
    assert_int_equal(echo.kicks[1], 1);
    for (unsigned i = 0; i < 100000; i++) { /* anything may be there */
        driver_set_config(&d, at + 4 * (1 + random_u64() % 4), 4,
                          random_u64() % 4 ? random_u64() & 0x3fff : (uint32_t)random_u64());
        driver_config(&d, at + 16, 1u << random_u64() % 3);
    }
}

/* Whatever a guest writes there. */
static void random_registers(void **state)
{
    for (unsigned i = 0; i < 500000; i++) {
        uint64_t address =
            0xe0000000 + (random_u64() % 8 ? random_u64() % 64 : random_u64() % 0x2010);
        uint32_t value = random_u64() % 2 ? random_u64() % 256 : (uint32_t)random_u64();

        if (random_u64() & 1)
            board_load(b, 0, address, 1 + random_u64() % 8);
        else
            board_store(b, 0, address, 1 + random_u64() % 8, value);
        if (random_u64() % 64 == 0)
            driver_set_config(&d, random_u64() % 0x40 * 4, 4, value);
        if (random_u64() % 64 == 0) {
            driver_set_config(&d, 0x10, 4, 0xc000);
            driver_set_config(&d, 0x14, 4, 0xe0000000);
            driver_set_config(&d, 4, 2, 2);
            driver_start(&d, random_u64());
        }
        board_out(b, 0, (uint16_t)(0xc000 + random_u64() % 16), 1u << random_u64() % 3, value);
    }
}

/* The entropy device (5.4). */
static void entropy_device(void **state)
{
    uint8_t zeroes[1024] = {0};
    uint32_t written;

    fakes.entropy = true;
    board_reset(b);
    driver_find(&d, b, 1);
    assert_int_equal(driver_config(&d, 0, 4), 0x10441af4);
    assert_int_equal(d.config, 0);
    driver_start(&d, UINT64_MAX);
    driver_describe(&d, 0, 0, DATA, 64, 2, 0);
    driver_describe(&d, 0, 1, DATA + 0x400, 1024, 2, 0);
    driver_describe(&d, 0, 2, DATA, 64, 0, 0);
    driver_offer(&d, 0, 0);
    assert_int_equal(driver_take(&d, 0, &written), 0);
    assert_int_equal(written, 64);
    for (unsigned i = 0; i < 64; i++)
        assert_int_not_equal(driver_memory(&d, DATA)[i], 0);
    assert_memory_equal(driver_memory(&d, DATA + 64), zeroes, 64);
    driver_offer(&d, 0, 1);
    assert_int_equal(driver_take(&d, 0, &written), 1);
    assert_int_equal(written, 256);
    memset(driver_memory(&d, DATA), 0, 64);
    driver_offer(&d, 0, 2); /* nothing to write to */
    assert_int_equal(driver_take(&d, 0, &written), 2);
    assert_int_equal(written, 0);
    assert_memory_equal(driver_memory(&d, DATA), zeroes, 64);
    fakes.entropy_words = 2;
    driver_offer(&d, 0, 0);
    assert_int_equal(driver_take(&d, 0, &written), 0);
    assert_int_equal(written, 16);
    fakes.entropy_words = 0; /* 5.4.6.1: no buffer is used for no byte */
    driver_offer(&d, 0, 0);
    assert_int_equal(driver_take(&d, 0, &written), -1);
    assert_int_equal(driver_get(&d, STATUS, 1) & NEEDS_RESET, NEEDS_RESET);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(identity),    TEST(structures),  TEST(after_reset),       TEST(features),
        TEST(widths),      TEST(queue_sizes), TEST(queue_enabled),     TEST(kicks),
        TEST(not_running), TEST(masks),       TEST(masked_over_reset), TEST(vectors),
        TEST(isr),         TEST(needs_reset), TEST(wild_rings),        TEST(slow_reset),
        TEST(doorbells),   TEST(window),      TEST(random_registers),  TEST(entropy_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
