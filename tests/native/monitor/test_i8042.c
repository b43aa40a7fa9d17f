/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard controller and port 92h: loops on its status end, and what resets resets. */
#include "monitor/i8042.h"
#include "tests/native/monitor/fakes.h"

#define OUTPUT_FULL 0x01
#define INPUT_FULL  0x02

static struct i8042 k;

static int reset(void **state)
{
    i8042_reset(&k);
    return 0;
}

static uint8_t status(void)
{
    return i8042_read(&k, 0x64);
}

/* What a command answers; -1: nothing. */
static int answer(uint8_t command)
{
    i8042_write(&k, 0x64, command);
    if (!(status() & OUTPUT_FULL))
        return -1;
    return i8042_read(&k, 0x60);
}

static void loops_end(void **state)
{
    for (unsigned command = 0; command < 0x100; command++) {
        reset(state);
        i8042_write(&k, 0x64, (uint8_t)command);
        i8042_write(&k, 0x60, 0xff);
        assert_int_equal(status() & INPUT_FULL, 0);
        i8042_read(&k, 0x60);
        assert_int_equal(status() & OUTPUT_FULL, 0);
    }
}

static void answers(void **state)
{
    assert_int_equal(answer(0xaa), 0x55);
    assert_int_equal(answer(0xab), 0x00);
    assert_int_equal(answer(0x20), 0x14);
    assert_int_equal(answer(0xae), -1);
    assert_int_equal(answer(0x20), 0x04);
    assert_int_equal(answer(0xad), -1);
    assert_int_equal(answer(0x20), 0x14);
    i8042_write(&k, 0x64, 0x60);
    i8042_write(&k, 0x60, 0x65);
    i8042_write(&k, 0x60, 0xf4); /* for the keyboard */
    assert_int_equal(answer(0x20), 0x65);
    i8042_write(&k, 0x64, 0x60); /* another command in place of its byte */
    assert_int_equal(answer(0xaa), 0x55);
    i8042_write(&k, 0x60, 0x00);
    assert_int_equal(answer(0x20), 0x65);
    assert_false(k.reset);
}

static void a20(void **state)
{
    assert_int_equal(i8042_read(&k, 0x92), 2);
    i8042_write(&k, 0x92, 0);
    assert_int_equal(i8042_read(&k, 0x92), 0);
    assert_int_equal(answer(0xd0), 0xcd);
    i8042_write(&k, 0x64, 0xd1);
    i8042_write(&k, 0x60, 0xdf);
    assert_int_equal(i8042_read(&k, 0x92), 2);
    i8042_write(&k, 0x64, 0xdd); /* A20 by a command of other machines' */
    assert_false(k.reset);
}

static void resets(void **state)
{
    for (unsigned command = 0; command < 0x100; command++) {
        reset(state);
        i8042_write(&k, 0x64, (uint8_t)command);
        assert_int_equal(k.reset, command >= 0xf0 && command % 2 == 0);
        reset(state);
        i8042_write(&k, 0x64, 0xd1);
        i8042_write(&k, 0x60, (uint8_t)command);
        assert_int_equal(k.reset, command % 2 == 0);
        reset(state);
        i8042_write(&k, 0x92, (uint8_t)command);
        assert_int_equal(k.reset, command % 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(loops_end, reset),
        cmocka_unit_test_setup(answers, reset),
        cmocka_unit_test_setup(a20, reset),
        cmocka_unit_test_setup(resets, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
