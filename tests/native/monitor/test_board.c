/* SPDX-License-Identifier: BSD-2-Clause */
/* The board: which port and address leads where, and how devices are wired to interrupts, console
 * and time; for what is on its PCI bus see test_pci.c. */
#include <stdlib.h>
#include <string.h>

#include "tests/native/monitor/fakes.h"

#define COM1      0x3f8
#define HZ        1000000000ULL
#define EDGE_COM1 0x24
#define EDGE_RTC  0x28

static struct board *b;

static void program_pin(unsigned pin, uint8_t vector)
{
    board_store(b, 0, 0xfec00000, 4, 0x10 + 2 * pin);
    board_store(b, 0, 0xfec00010, 4, vector);
}

static int setup(void **state)
{
    b = fake_board(64 << 20);
    program_pin(4, EDGE_COM1);
    program_pin(8, EDGE_RTC);
    return 0;
}

static int teardown(void **state)
{
    fake_board_free(b);
    return 0;
}

static void unclaimed(void **state)
{
    static const uint16_t ports[] = {0x20, 0x21, 0x40,  0x43,  0x61,  0x80,
                                     0xa1, 0xb2, 0x2f8, 0x3c0, 0x400, 0xffff};

    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        board_out(b, 0, ports[i], 1, 0);
        assert_int_equal(board_in(b, 0, ports[i], 1), 0xff);
    }
    assert_int_equal(board_in(b, 0, 0x8000, 2), 0xffff);
    assert_int_equal(board_in(b, 0, 0x8000, 4), 0xffffffff);
    assert_int_equal(board_in(b, 0, 0xffff, 4), 0xffffff00 | 0xff);
    assert_int_equal(board_load(b, 0, 0xd0000000, 8), UINT64_MAX);
    assert_int_equal(board_load(b, 0, 0xd0000003, 2), 0xffff);
    assert_int_equal(board_load(b, 0, UINT64_MAX, 1), 0xff);
    board_store(b, 0, 0xd0000000, 8, 0);
}

/* An access wider than the device is split into bytes, each to its own register. */
static void split(void **state)
{
    board_out(b, 0, COM1 + 7, 1, 0x5a);
    assert_int_equal(board_in(b, 0, COM1 + 6, 2), 0x5abb & 0xfff0);
    board_out(b, 0, COM1 + 6, 2, 0xa500);
    assert_int_equal(board_in(b, 0, COM1 + 7, 1), 0xa5);
    assert_int_equal(board_in(b, 0, COM1 + 7, 2), 0xffa5); /* half beyond the device */
    board_out(b, 0, 0x70, 2, 0x7733);                      /* index, then data */
    assert_int_equal(board_in(b, 0, 0x71, 1), 0x77);
    assert_int_equal(board_in(b, 0, 0x70, 1), 0x33);
}

static void pm_sizes(void **state)
{
    uint32_t ticks = board_in(b, 0, 0xb008, 4);

    assert_int_equal(ticks, 3579545);
    assert_int_equal(board_in(b, 0, 0xb009, 1) & 0xff, ticks >> 8 & 0xff);
    assert_int_equal(board_in(b, 0, 0xb00a, 2) & 0xffff, ticks >> 16);
    assert_int_equal(board_in(b, 0, 0xb004, 2) & 0xffff, 1);
    board_out(b, 0, 0xb003, 1, 0xff);
    assert_int_equal(board_in(b, 0, 0xb002, 2) & 0xffff, 0x0700);
    assert_int_equal(board_in(b, 0, 0xb00c, 4), 0xffffffff);
    board_out(b, 0, 0xb005, 1, 0x20); /* power-off by a byte */
    assert_true(b->pm.power_off);
}

static void reset_ports(void **state)
{
    assert_int_equal(board_in(b, 0, 0x64, 1) & 3, 0); /* nothing to drain, nothing in the way */
    board_out(b, 0, 0x64, 1, 0xff);
    board_out(b, 0, 0x64, 1, 0xd1);
    board_out(b, 0, 0x60, 1, 0xdf);
    board_out(b, 0, 0x92, 1, 0x02);
    assert_int_equal(board_in(b, 0, 0x92, 1), 0x02);
    board_out(b, 0, 0xcf9, 1, 0x02);
    assert_int_equal(board_in(b, 0, 0xcf9, 1), 0x02);
    assert_false(b->reset.requested);
    board_out(b, 0, 0xcf9, 1, 0x06);
    assert_true(b->reset.requested);
    b->reset = (struct reset){0};
    board_out(b, 0, 0x64, 1, 0xfe);
    assert_true(b->reset.requested);
    board_reset(b);
    assert_false(b->reset.requested);
    board_out(b, 0, 0x92, 1, 0x03);
    assert_true(b->reset.requested);
    board_reset(b);
    board_events(b, EVENT_INIT);
    assert_true(b->reset.requested);
}

/* The RTC's line is its own interrupt, and an event of the PM block's. */
static void rtc_event(void **state)
{
    board_out(b, 0, 0x70, 2, 0x520b); /* periodic */
    fakes.tsc += HZ / 1000;
    board_events(b, EVENT_TIMER);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(board_in(b, 0, 0xb000, 2) & 0xffff, 0x0400);
}

/* Who controls the VM presses it: the SCI. */
static void power_button(void **state)
{
    program_pin(9, EDGE_RTC);
    board_out(b, 0, 0xb002, 2, 0x0100);
    board_events(b, EVENT_POWER_BUTTON);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(board_in(b, 0, 0xb000, 2) & 0xffff, 0x0100);
}

/* What no local APIC took is sent again when one may. */
static void try_again(void **state)
{
    fakes.message_result = 0;
    board_out(b, 0, COM1 + 4, 1, 0x08);
    board_out(b, 0, COM1 + 1, 1, 0x02);
    assert_int_equal(fakes.messages, 1);
    fakes.message_result = 1;
    board_events(b, EVENT_APIC);
    assert_int_equal(fakes.messages, 2);
    board_events(b, EVENT_APIC);
    assert_int_equal(fakes.messages, 2);
}

static void console_output(void **state)
{
    static const char text[] = "ready\n";

    board_out(b, 0, COM1 + 4, 1, 0x08);
    board_out(b, 0, COM1 + 2, 1, 0x01);
    for (const char *c = text; *c != '\0'; c++)
        board_out(b, 0, COM1, 1, (uint8_t)*c);
    fake_console_take_all(b);
    assert_int_equal(fakes.output_size, strlen(text));
    assert_memory_equal(fakes.output, text, strlen(text));
    assert_int_equal(fakes.messages, 0);
    board_out(b, 0, COM1 + 1, 1, 0x02);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(fakes.message_data[0], 0x4000 | EDGE_COM1);
}

/* With a console that is slow nothing is lost and nothing is said to be sent. */
static void console_full(void **state)
{
    size_t written = 0;

    board_out(b, 0, COM1 + 4, 1, 0x08);
    board_out(b, 0, COM1 + 2, 1, 0x01);
    board_out(b, 0, COM1 + 1, 1, 0x02);
    assert_int_equal(board_in(b, 0, COM1 + 2, 1), 0xc2);
    for (; board_in(b, 0, COM1 + 5, 1) & 0x20; written++)
        board_out(b, 0, COM1, 1, (uint8_t)('0' + written % 10));
    assert_int_equal(written, 1 + CONSOLE_GATHERED + 1);
    for (; written % 10 != 0; written++)
        board_out(b, 0, COM1, 1, (uint8_t)('0' + written % 10));
    assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 0x60, 0);
    board_in(b, 0, COM1 + 2, 1);
    fakes.messages = 0;
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(fakes.messages, 0);
    fake_console_take(b, 1);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 0x60, 0x60);
    fake_console_take_all(b);
    assert_int_equal(fakes.output_size, written);
    for (size_t i = 0; i < written; i++)
        assert_int_equal(fakes.output[i], '0' + i % 10);
}

static size_t taken;

/* They come in their order. */
static void take_some(void)
{
    fakes.output_size = 0;
    fake_console_take(b, CHANNEL_ENTRIES / 4);
    for (size_t i = 0; i < fakes.output_size; i++)
        assert_int_equal(fakes.output[i], '0' + taken++ % 10);
}

/* A guest that never looks whether there is room waits for it, and loses nothing. */
static void console_waits(void **state)
{
    uint64_t begin = fakes.tsc;

    taken = 0;
    fakes.spin = take_some;
    for (size_t i = 0; i < 0x4000; i++)
        board_out(b, 0, COM1, 1, (uint8_t)('0' + i % 10));
    assert_in_range(fakes.tsc - begin, 1, HZ);
    while (channel_used(&b->console.channel) > 0)
        take_some();
    assert_int_equal(taken, 0x4000);
}

/* A console that takes nothing holds it up once, and not for ever; one that has died does not. */
static void console_stands(void **state)
{
    struct process_info *process = calloc(1, sizeof(*process));
    uint64_t begin = fakes.tsc;

    for (size_t i = 0; i < 0x2000; i++)
        board_out(b, 0, COM1, 1, 'x');
    assert_in_range(fakes.tsc - begin, 10 * HZ, 10 * HZ + HZ / 100);
    fake_console_take_all(b);
    assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 0x60, 0x60);
    board_out(b, 0, COM1, 1, 'y');
    fake_console_take_all(b);
    assert_int_equal(fakes.output[fakes.output_size - 1], 'y');

    *process = *fakes.process;
    fake_board_free(b);
    fakes_reset();
    fakes.process = process;
    b = fake_board_with(64 << 20, NULL);
    for (size_t i = 0; board_in(b, 0, COM1 + 5, 1) & 0x20; i++)
        board_out(b, 0, COM1, 1, 'x');
    process->channels[0].ended = 1;
    board_events(b, EVENT_CHANNEL(0));
    begin = fakes.tsc;
    for (size_t i = 0; i < 0x2000; i++) {
        assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 0x60, 0x60);
        board_out(b, 0, COM1, 1, 'x');
    }
    assert_int_equal(fakes.tsc, begin);
    fakes.process = NULL;
    free(process);
}

/* More input than the FIFO holds arrives as a whole, from one event. */
static void console_input(void **state)
{
    static const char text[] = "a line that is longer than the sixteen bytes of the FIFO\n";
    char got[sizeof(text)] = "";
    size_t count = 0;

    board_out(b, 0, COM1 + 4, 1, 0x08);
    board_out(b, 0, COM1 + 2, 1, 0x81);
    board_out(b, 0, COM1 + 1, 1, 0x01);
    fake_console_type(text, CONSOLE_TEXT);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(b->uart.receive.count, 16);
    while (board_in(b, 0, COM1 + 5, 1) & 1 && count < sizeof(got))
        got[count++] = (char)board_in(b, 0, COM1, 1);
    assert_int_equal(count, strlen(text));
    assert_memory_equal(got, text, count);
    fake_console_type("x", CONSOLE_TEXT);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(board_in(b, 0, COM1, 1), 'x');
}

/* Input that comes while the loopback is on waits for its end. */
static void console_input_waits(void **state)
{
    board_out(b, 0, COM1 + 4, 1, 0x10);
    fake_console_type("x", CONSOLE_TEXT);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(b->uart.receive.count, 0);
    board_out(b, 0, COM1 + 4, 1, 0x08);
    assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 1, 1);
    assert_int_equal(board_in(b, 0, COM1, 1), 'x');
}

static void rtc_timer(void **state)
{
    board_out(b, 0, 0x70, 1, 0x0b);
    board_out(b, 0, 0x71, 1, 0x12);
    assert_int_equal(fakes.timer, 2 * HZ);
    fakes.messages = 0;
    fakes.tsc = 2 * HZ;
    board_events(b, EVENT_TIMER);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(fakes.message_data[0], 0x4000 | EDGE_RTC);
    board_out(b, 0, 0x70, 1, 0x0c);
    assert_int_equal(board_in(b, 0, 0x71, 1) & 0x90, 0x90);
    assert_int_equal(fakes.timer, 3 * HZ);
    board_out(b, 0, 0x70, 1, 0x0b);
    board_out(b, 0, 0x71, 1, 0x02);
    assert_int_equal(fakes.timer, UINT64_MAX);
    fakes.timer_calls = 0; /* what changes nothing makes no call */
    board_in(b, 0, 0x71, 1);
    assert_int_equal(fakes.timer_calls, 0);
}

static void device_memory(void **state)
{
    fakes.lapic[0x80 / 4] = 0x12345678;
    assert_int_equal(board_load(b, 1, 0xfee00080, 4), 0x12345678);
    assert_int_equal(board_load(b, 1, 0xfee00081, 1), 0x56);
    assert_int_equal(board_load(b, 1, 0xfee00080, 8), 0xffffffff12345678);
    assert_int_equal(board_load(b, 1, 0xfee00082, 8), 0xffffffffffff1234);
    board_store(b, 1, 0xfee000b0, 4, 7);
    assert_int_equal(fakes.lapic[0xb0 / 4], 7);
    board_store(b, 1, 0xfee000b0, 1, 9); /* only whole registers */
    board_store(b, 1, 0xfee000b2, 4, 9);
    assert_int_equal(fakes.lapic[0xb0 / 4], 7);
    board_store(b, 1, 0xfec00000, 4, 1);
    assert_int_equal(board_load(b, 1, 0xfec00010, 4), 0x00170020);
    assert_int_equal(board_load(b, 1, 0xfec00012, 1), 0x17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unclaimed, setup, teardown),
        cmocka_unit_test_setup_teardown(split, setup, teardown),
        cmocka_unit_test_setup_teardown(pm_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_ports, setup, teardown),
        cmocka_unit_test_setup_teardown(rtc_event, setup, teardown),
        cmocka_unit_test_setup_teardown(power_button, setup, teardown),
        cmocka_unit_test_setup_teardown(try_again, setup, teardown),
        cmocka_unit_test_setup_teardown(console_output, setup, teardown),
        cmocka_unit_test_setup_teardown(console_full, setup, teardown),
        cmocka_unit_test_setup_teardown(console_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(console_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(console_input, setup, teardown),
        cmocka_unit_test_setup_teardown(console_input_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(rtc_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(device_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
