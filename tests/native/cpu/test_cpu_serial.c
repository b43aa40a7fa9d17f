/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's serial port: one that works, one that is not there, and one that stands still for a
 * while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/report/serial.h"

#define COM1        0x3f8
#define LINE_STATUS (COM1 + 5)
#define FIFO        16
#define BYTE_READS  90 /* how often the status can be read while one byte goes out */
#define BOTH_EMPTY  0x60

static struct port {
    bool absent, stands, flips;
    unsigned fifo, reads, asked;
    size_t sent;
    char line[0x10000];
} port;

static void shift_out(void)
{
    if (port.fifo > 0 && !port.stands && ++port.reads % BYTE_READS == 0)
        port.fifo--;
}

uint8_t inb(uint16_t number)
{
    port.asked++;
    if (port.absent)
        return 0xff;
    if (port.flips && ++port.reads % 2 == 0)
        return 0;
    if (port.flips)
        port.fifo = 0;
    shift_out();
    assert_int_equal(number, LINE_STATUS);
    return port.fifo == 0 ? BOTH_EMPTY : 0;
}

void outb(uint16_t number, uint8_t value)
{
    if (number != COM1 || port.absent)
        return;
    assert_in_range(port.fifo, 0, FIFO - 1);
    assert_in_range(port.sent, 0, sizeof(port.line) - 1);
    port.fifo++;
    port.line[port.sent++] = (char)value;
}

static int setup(void **state)
{
    memset(&port, 0, sizeof(port));
    serial_flush();
    return 0;
}

static void send(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        serial_put(text[i]);
    serial_flush();
}

static void all_of_it(void **state)
{
    static char text[10000];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('!' + i % 90);
    send(text, sizeof(text));
    assert_int_equal(port.fifo, 0);
    assert_int_equal(port.sent, sizeof(text));
    assert_memory_equal(port.line, text, sizeof(text));
}

static void absent(void **state)
{
    port.absent = true;
    send("nobody", 6);
}

/* What it does not take is lost, and nothing behind it; after the first byte nobody waits. */
static void stands_for_a_while(void **state)
{
    static char text[10000];

    port.fifo = FIFO - 1;
    port.stands = true;
    send(text, sizeof(text));
    assert_int_equal(port.sent, 0);
    assert_in_range(port.asked, 0x100000, 0x300000);
    port.stands = false;
    serial_flush();
    send("again", 5);
    assert_memory_equal(port.line, "again", 5);
    assert_int_equal(port.sent, 5);
}

/* One that is ready when it is asked, and not when it is asked again at once, holds nobody up. */
static void flips(void **state)
{
    port.flips = true;
    send("this goes out, byte by byte", 27);
    assert_int_equal(port.sent, 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_of_it, setup),
        cmocka_unit_test_setup(absent, setup),
        cmocka_unit_test_setup(stands_for_a_while, setup),
        cmocka_unit_test_setup(flips, setup),
    };

    return cmocka_run_group_tests_name("the host's serial port", tests, NULL, NULL);
}
