/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APIC: registers, edges, levels, polarity, and the format of its messages. */
#include "monitor/ioapic.h"
#include "tests/native/monitor/fakes.h"

#define LEVEL  0x8000u
#define LOW    0x2000u
#define MASKED 0x10000u

static struct ioapic io;

static int reset(void **state)
{
    fakes_reset();
    ioapic_reset(&io);
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

static void polarity(void **state)
{
    ioapic_set_line(&io, 5, true);
    program(5, 0, LEVEL | LOW | 0x60);
    assert_int_equal(fakes.messages, 0);
    ioapic_set_line(&io, 5, false);
    assert_int_equal(fakes.messages, 1);
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
        cmocka_unit_test_setup(registers, reset), cmocka_unit_test_setup(edge, reset),
        cmocka_unit_test_setup(level, reset),     cmocka_unit_test_setup(level_unmasked, reset),
        cmocka_unit_test_setup(polarity, reset),  cmocka_unit_test_setup(modes, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
