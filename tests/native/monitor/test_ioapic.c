/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APIC: registers, edges, levels, polarity, and the format of its messages. */
#include "monitor/ioapic.h"
#include "tests/native/monitor/fakes.h"

#define LEVEL   0x8000u
#define LOW     0x2000u
#define SENDING 0x1000u
#define MASKED  0x10000u

#define ALL_PINS 0xffffffu

static struct ioapic io;

static int reset(void **state)
{
    fakes_reset();
    ioapic_reset(&io, ALL_PINS);
    return 0;
}

static void set(unsigned reg, uint32_t value)
{
    ioapic_write(&io, 0x00, reg);
    ioapic_write(&io, 0x10, value);
}

static uint32_t get(unsigned reg)
{
    ioapic_write(&io, 0x00, reg);
    return ioapic_read(&io, 0x10);
}

static void program(unsigned pin, uint8_t destination, uint32_t low)
{
    set(0x11 + 2 * pin, (uint32_t)destination << 24);
    set(0x10 + 2 * pin, low);
}

static void registers(void **state)
{
    assert_int_equal(get(1), 0x00170020);
    set(1, 0);
    assert_int_equal(get(1), 0x00170020);
    set(0, 0xffffffff);
    assert_int_equal(get(0), 0x0f000000);
    assert_int_equal(get(0x10), MASKED);
    set(0x12, 0xffffffff); /* delivery status and remote IRR are read-only */
    assert_int_equal(get(0x12), 0x0001afff);
    set(0x13, 0xffffffff);
    assert_int_equal(get(0x13), 0xff000000);
    assert_int_equal(get(0x40), 0xffffffff);
    assert_int_equal(ioapic_read(&io, 0x24), 0xffffffff);
    assert_int_equal(fakes.messages, 0);
}

static void edge(void **state)
{
    ioapic_set_line(&io, 4, true); /* masked: lost */
    ioapic_set_line(&io, 4, false);
    program(4, 3, 0x31);
    assert_int_equal(fakes.messages, 0);
    ioapic_set_line(&io, 4, true);
    ioapic_set_line(&io, 4, true);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(fakes.message_address[0], 0xfee03000);
    assert_int_equal(fakes.message_data[0], 0x4031);
    ioapic_end_of_interrupt(&io, 0x31);
    assert_int_equal(fakes.messages, 1);
    ioapic_set_line(&io, 4, false);
    ioapic_set_line(&io, 4, true);
    assert_int_equal(fakes.messages, 2);
}

static void level(void **state)
{
    program(9, 0, LEVEL | 0x52);
    ioapic_set_line(&io, 9, true);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(fakes.message_data[0], 0xc052);
    assert_int_equal(get(0x22), LEVEL | 0x4052);
    ioapic_set_line(&io, 9, false);
    ioapic_set_line(&io, 9, true);
    assert_int_equal(fakes.messages, 1); /* not before the end of the first */
    ioapic_end_of_interrupt(&io, 0x51);
    assert_int_equal(fakes.messages, 1);
    ioapic_end_of_interrupt(&io, 0x52);
    assert_int_equal(fakes.messages, 2); /* still active */
    ioapic_set_line(&io, 9, false);
    ioapic_write(&io, 0x40, 0x52);
    assert_int_equal(fakes.messages, 2);
    assert_int_equal(get(0x22), LEVEL | 0x52);
}

static void level_unmasked(void **state)
{
    program(9, 0, MASKED | LEVEL | 0x52);
    ioapic_set_line(&io, 9, true);
    assert_int_equal(fakes.messages, 0);
    program(9, 0, LEVEL | 0x52);
    assert_int_equal(fakes.messages, 1);
    program(9, 0, MASKED | 0x52); /* by edge: remote IRR is gone */
    program(9, 0, LEVEL | 0x52);
    assert_int_equal(fakes.messages, 2);
}

/* An input of a PCI device that is not there: active low, and pulled up. */
static void nobody_drives(void **state)
{
    ioapic_reset(&io, ALL_PINS & ~(1u << 5));
    program(5, 0, LEVEL | LOW | 0x60);
    program(5, 0, LOW | 0x60);
    assert_int_equal(fakes.messages, 0);
    ioapic_reset(&io, 1u << 5); /* a device that drives it low from its start */
    for (unsigned pin = 0; pin < 24; pin++)
        program(pin, 0, LEVEL | LOW | 0x60);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(get(0x12) & SENDING, 0);
}

static void level_refused(void **state)
{
    fakes.message_result = 0;
    program(9, 7, LEVEL | 0x52);
    ioapic_set_line(&io, 9, true);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(get(0x22), LEVEL | SENDING | 0x52);
    ioapic_end_of_interrupt(&io, 0x52); /* not its own */
    assert_int_equal(fakes.messages, 1);
    ioapic_try_again(&io);
    assert_int_equal(fakes.messages, 2);
    ioapic_set_line(&io, 9, false);
    assert_int_equal(get(0x22), LEVEL | 0x52);
    ioapic_try_again(&io); /* it is over */
    assert_int_equal(fakes.messages, 2);
    ioapic_set_line(&io, 9, true);
    fakes.message_result = 1;
    ioapic_try_again(&io);
    ioapic_try_again(&io);
    assert_int_equal(fakes.messages, 4);
    assert_int_equal(get(0x22), LEVEL | 0x4052);
}

static void edge_refused(void **state)
{
    fakes.message_result = 0;
    program(4, 7, 0x31);
    ioapic_set_line(&io, 4, true);
    ioapic_set_line(&io, 4, false);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(get(0x18), SENDING | 0x31);
    fakes.message_result = 1;
    program(4, 0, 0x31); /* goes with the destination, and not again with the vector */
    assert_int_equal(fakes.messages, 2);
    assert_int_equal(fakes.message_address[1], 0xfee00000);
    assert_int_equal(get(0x18), 0x31);
    fakes.message_result = 0;
    ioapic_set_line(&io, 4, true);
    set(0x18, LEVEL | MASKED | 0x31); /* as a level it is another thing */
    set(0x18, 0x31);
    assert_int_equal(fakes.messages, 3);
    assert_int_equal(get(0x18), 0x31);
}

static void polarity(void **state)
{
    ioapic_set_line(&io, 5, true);
    program(5, 0, LEVEL | LOW | 0x60);
    assert_int_equal(fakes.messages, 0);
    ioapic_set_line(&io, 5, false);
    assert_int_equal(fakes.messages, 1);
    ioapic_set_line(&io, 6, false);
    program(6, 0, LOW | 0x61);
    ioapic_set_line(&io, 6, true);
    assert_int_equal(fakes.messages, 1);
    ioapic_set_line(&io, 6, false);
    assert_int_equal(fakes.messages, 2);
}

static void modes(void **state)
{
    program(7, 0x81, 0x0900 | 0x70); /* lowest priority, logical */
    ioapic_set_line(&io, 7, true);
    assert_int_equal(fakes.message_address[0], 0xfee8100c);
    assert_int_equal(fakes.message_data[0], 0x4170);
    program(8, 0x81, 0x0400); /* NMI, physical */
    ioapic_set_line(&io, 8, true);
    assert_int_equal(fakes.message_address[1], 0xfee81000);
    assert_int_equal(fakes.message_data[1], 0x4400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(registers, reset),     cmocka_unit_test_setup(edge, reset),
        cmocka_unit_test_setup(level, reset),         cmocka_unit_test_setup(level_unmasked, reset),
        cmocka_unit_test_setup(nobody_drives, reset), cmocka_unit_test_setup(level_refused, reset),
        cmocka_unit_test_setup(edge_refused, reset),  cmocka_unit_test_setup(polarity, reset),
        cmocka_unit_test_setup(modes, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
