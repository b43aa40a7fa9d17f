/* SPDX-License-Identifier: BSD-2-Clause */
/* The UART as drivers see it: what Linux's 8250 driver looks for, FIFOs, interrupts, loopback. */
#include <string.h>

#include "monitor/uart.h"
#include "tests/native/monitor/fakes.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define FCR 2

static struct uart u;

static int reset(void **state)
{
    uart_reset(&u);
    return 0;
}

/* The next byte takes the place of the one that was not read; in loopback too. */
static void overrun_without_fifo(void **state)
{
    uart_receive(&u, "ab", 2);
    assert_int_equal(uart_read(&u, LSR), 0x63);
    assert_int_equal(uart_read(&u, LSR), 0x61);
    assert_int_equal(uart_read(&u, DATA), 'b');
    assert_int_equal(uart_read(&u, LSR), 0x60);
    uart_write(&u, MCR, 0x10);
    uart_write(&u, IER, 4);
    uart_write(&u, DATA, 'c');
    uart_write(&u, DATA, 'd');
    uart_write(&u, DATA, 'e');
    assert_int_equal(uart_read(&u, IIR), 6);
    assert_int_equal(uart_read(&u, LSR), 0x63);
    assert_int_equal(uart_read(&u, DATA), 'e');
    assert_int_equal(uart_read(&u, LSR), 0x60);
}

/* What a driver writes and expects, step by step, to call the chip a 16550A with nothing more. */
static void detection(void **state)
{
    uart_write(&u, IER, 0);
    assert_int_equal(uart_read(&u, IER) & 0x0f, 0);
    uart_write(&u, IER, 0x0f);
    assert_int_equal(uart_read(&u, IER) & 0x0f, 0x0f);
    uart_write(&u, IER, 0);
    uart_write(&u, MCR, 0x1a); /* loopback, OUT2, RTS */
    assert_int_equal(uart_read(&u, MSR) & 0xf0, 0x90);
    uart_write(&u, MCR, 0);
    uart_write(&u, LCR, 0xbf);
    uart_write(&u, FCR, 0);
    uart_write(&u, LCR, 0);
    uart_write(&u, FCR, 1);
    assert_int_equal(uart_read(&u, IIR) >> 6, 3);
    uart_write(&u, LCR, 0x80); /* no enhanced features behind DLAB */
    assert_int_not_equal(uart_read(&u, IIR), 0);
    uart_write(&u, LCR, 0xbf);
    assert_int_not_equal(uart_read(&u, IIR), 0);
    uart_write(&u, LCR, 0x80); /* no 64-byte FIFO */
    uart_write(&u, FCR, 0x21);
    assert_int_equal(uart_read(&u, IIR) >> 5, 6);
    uart_write(&u, LCR, 0);
    uart_write(&u, IER, 0x40); /* no XScale */
    assert_int_equal(uart_read(&u, IER), 0);
    uart_write(&u, SCR, 0xa5);
    assert_int_equal(uart_read(&u, SCR), 0xa5);
}

static void divisor_latch(void **state)
{
    uart_write(&u, IER, 5);
    uart_write(&u, LCR, 0x83);
    uart_write(&u, 0, 0x34);
    uart_write(&u, 1, 0x12);
    assert_int_equal(uart_read(&u, 0), 0x34);
    assert_int_equal(uart_read(&u, 1), 0x12);
    uart_write(&u, LCR, 3);
    assert_int_equal(uart_read(&u, IER), 5);
    assert_int_equal(uart_read(&u, DATA), 0);
}

static void transmitter_interrupt(void **state)
{
    char out[UART_FIFO_SIZE];

    uart_write(&u, MCR, 8);
    assert_false(uart_interrupt(&u));
    uart_write(&u, IER, 2);
    assert_true(uart_interrupt(&u));
    assert_int_equal(uart_read(&u, IIR), 2);
    assert_false(uart_interrupt(&u));
    assert_int_equal(uart_read(&u, IIR), 1);
    uart_write(&u, IER, 0); /* enabling it again raises it again */
    uart_write(&u, IER, 2);
    assert_true(uart_interrupt(&u));
    uart_write(&u, DATA, 'x');
    assert_false(uart_interrupt(&u));
    assert_int_equal(uart_read(&u, LSR), 0);
    assert_int_equal(uart_output(&u, out), 1);
    assert_int_equal(out[0], 'x');
    uart_sent(&u, 1);
    assert_int_equal(uart_read(&u, LSR), 0x60);
    assert_true(uart_interrupt(&u));
}

static void output_waits(void **state)
{
    char out[UART_FIFO_SIZE];

    uart_write(&u, FCR, 1);
    for (int i = 0; i < UART_FIFO_SIZE; i++)
        uart_write(&u, DATA, (uint8_t)('a' + i));
    assert_int_equal(uart_output(&u, out), 16);
    assert_memory_equal(out, "abcdefghijklmnop", 16);
    uart_sent(&u, 5);
    assert_int_equal(uart_read(&u, LSR) & 0x60, 0);
    uart_write(&u, DATA, 'q');
    assert_int_equal(uart_output(&u, out), 12);
    assert_memory_equal(out, "fghijklmnopq", 12);
    uart_sent(&u, 12);
    assert_int_equal(uart_read(&u, LSR) & 0x60, 0x60);
}

static void receiver(void **state)
{
    uart_write(&u, MCR, 8);
    uart_write(&u, IER, 5);
    uart_write(&u, FCR, 0x81); /* trigger at 8 */
    assert_int_equal(uart_room(&u), 16);
    uart_receive(&u, "1234567", 7);
    assert_true(uart_interrupt(&u));
    assert_int_equal(uart_read(&u, IIR), 0xcc);
    uart_receive(&u, "8", 1);
    assert_int_equal(uart_read(&u, IIR), 0xc4);
    uart_receive(&u, "9abcdefgXY", 10); /* two too many */
    assert_int_equal(uart_room(&u), 0);
    assert_int_equal(uart_read(&u, IIR), 0xc6);
    assert_int_equal(uart_read(&u, LSR), 0x63);
    assert_int_equal(uart_read(&u, LSR), 0x61);
    for (const char *c = "123456789abcdefg"; *c != '\0'; c++)
        assert_int_equal(uart_read(&u, DATA), *c);
    assert_int_equal(uart_read(&u, LSR), 0x60);
    assert_false(uart_interrupt(&u));
}

static void fifo_control(void **state)
{
    uart_receive(&u, "a", 1);
    assert_int_equal(uart_room(&u), 0); /* without FIFO there is room for one */
    assert_int_equal(uart_read(&u, DATA), 'a');
    uart_write(&u, FCR, 1);
    uart_receive(&u, "abc", 3);
    uart_write(&u, FCR, 3);
    assert_int_equal(uart_read(&u, LSR) & 1, 0);
    uart_receive(&u, "abc", 3);
    uart_write(&u, FCR, 0); /* a change of mode empties it too */
    assert_int_equal(uart_read(&u, LSR) & 1, 0);
    assert_int_equal(uart_read(&u, IIR), 1);
}

static void loopback(void **state)
{
    char out[UART_FIFO_SIZE];

    uart_read(&u, MSR);
    uart_write(&u, IER, 0x0b);
    uart_write(&u, MCR, 0x1f);
    assert_int_equal(uart_read(&u, MSR), 0xf0); /* RI rose, which does not count */
    uart_write(&u, MCR, 0x10);
    assert_int_equal(uart_read(&u, MSR), 0x0f);
    assert_int_equal(uart_read(&u, MSR), 0x00);
    uart_write(&u, DATA, 0x5a);
    assert_int_equal(uart_output(&u, out), 0);
    assert_int_equal(uart_room(&u), 0); /* the line is cut off */
    assert_int_equal(uart_read(&u, DATA), 0x5a);
    assert_false(uart_interrupt(&u)); /* OUT2 does not reach the outside */
    uart_write(&u, MCR, 0x08);
    assert_int_equal(uart_read(&u, MSR), 0xbb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(detection, reset),
        cmocka_unit_test_setup(divisor_latch, reset),
        cmocka_unit_test_setup(transmitter_interrupt, reset),
        cmocka_unit_test_setup(output_waits, reset),
        cmocka_unit_test_setup(receiver, reset),
        cmocka_unit_test_setup(overrun_without_fifo, reset),
        cmocka_unit_test_setup(fifo_control, reset),
        cmocka_unit_test_setup(loopback, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
