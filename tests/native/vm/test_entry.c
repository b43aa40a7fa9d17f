/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest can write to an MSR never fails a VM entry: each value that the table takes for a
 * VMCS field passes the processor's checks (R9, R25).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/msr/msr.h"
#include "tests/native/decode/random.h"
#include "tests/native/vmx/vmcs_model.h"

#define ROUNDS 20000

static struct vmcs_model model;
static struct msr_file file;
static struct random random = {0x6c696e74656c0009ULL};

/* Random bytes that are small, as the types of a PAT are, or any number. */
static uint64_t draw(void)
{
    uint64_t value = random_value(&random);

    return random_below(&random, 2) == 0 ? value & 0x0707070707070707 : value;
}

static void check_row(const struct msr_row *row)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t value = draw();
        if (msr_write(&file, row, row->first, value) == MSR_GP)
            continue;
        taken++;
        model_long_mode(&model);
        model_write(&model, (enum vmcs_field)row->field, value);
        const char *words = entry_check(&model.values);
        if (words)
            fail_msg("%s = %llx: %s", row->name, (unsigned long long)value, words);
    }
    assert_in_range(taken, ROUNDS / 1000, ROUNDS);
}

static void accepted_values_enter(void **state)
{
    unsigned rows = 0;

    msr_file_reset(&file, UINT32_MAX, 40);
    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++)
        if (row->handler == MSR_HANDLER_VMCS) {
            check_row(row);
            rows++;
        }
    assert_in_range(rows, 5, MSR_ROW_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(accepted_values_enter)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
