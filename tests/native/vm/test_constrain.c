/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks of MSR values at their edges (R31, R38). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/msr/constrain.h"
#include "lib/bits.h"

static void pat(void **state)
{
    assert_true(constrain_types(0x0007040600070406, PAT_TYPES));
    for (unsigned field = 0; field < 8; field++)
        for (unsigned type = 0; type < 256; type++) {
            bool legal = type < 8 && type != 2 && type != 3;
            assert_int_equal(constrain_types((uint64_t)type << 8 * field, PAT_TYPES), legal);
        }
}

static void mtrr_fixed(void **state)
{
    for (unsigned field = 0; field < 8; field++)
        for (unsigned type = 0; type < 256; type++) {
            bool legal = type == 0 || type == 1 || type == 4 || type == 5 || type == 6;
            assert_int_equal(constrain_types((uint64_t)type << 8 * field, MTRR_TYPES), legal);
        }
}

static void mtrr_def_type(void **state)
{
    assert_true(constrain_type(6, MTRR_TYPES));
    assert_true(constrain_type(0, MTRR_TYPES));
    assert_false(constrain_type(2, MTRR_TYPES));
    assert_false(constrain_type(7, MTRR_TYPES));
}

static void mtrr_variable(void **state)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        bool address = bit >= 12 && bit < 39;
        assert_int_equal(constrain_mtrr_variable(BIT(bit), true, 39), address || bit == 11);
        assert_int_equal(constrain_mtrr_variable(BIT(bit), false, 39),
                         address || bit == 0 || bit == 2);
    }
    assert_true(constrain_mtrr_variable(BIT(51), true, 52));
    assert_false(constrain_mtrr_variable(0xc0000007, false, 39));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pat),
        cmocka_unit_test(mtrr_fixed),
        cmocka_unit_test(mtrr_def_type),
        cmocka_unit_test(mtrr_variable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
