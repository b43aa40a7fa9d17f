/* SPDX-License-Identifier: BSD-2-Clause */
/* What ring 0 does on which CPU, by what that says of itself (lib/mitigations.def). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/mitigations.h"
#include "hypervisor/report/log.h"
#include "tests/native/cpu/profiles.h"

static uint64_t tsx_ctrl;
static char said[256];

uint64_t rdmsr(uint32_t index)
{
    assert_int_equal(index, 0x122);
    return tsx_ctrl;
}

void wrmsr(uint32_t index, uint64_t value)
{
    assert_int_equal(index, 0x122);
    tsx_ctrl = value;
}

void log_record(enum log_kind kind, uint8_t vm, const char *text, ...)
{
    size_t length = strlen(said);
    va_list list;

    va_start(list, text);
    vsnprintf(said + length, sizeof(said) - length, text, list);
    va_end(list);
    strcat(said, "\n");
}

static void each_cpu(void **state)
{
    static const uint32_t nothing[MITIGATION_COUNT];

    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        const struct profile *p = &profiles[i];
        if (mitigations_needed(&p->facts) != (p->needed | p->missing))
            fail_msg("%s: %x, not %x", p->name, mitigations_needed(&p->facts),
                     p->needed | p->missing);
        said[0] = '\0';
        mitigations_init(&p->facts, nothing);
        for (unsigned id = 0; id < MITIGATION_COUNT; id++)
            assert_int_equal(mitigation_is_on(id), p->needed >> id & 1);
        assert_int_equal(!!strstr(said, "mitigation bti: missing\n"), (p->missing & BTI) != 0);
        assert_int_equal(!!strstr(said, "mitigation its: missing\n"), (p->missing & ITS) != 0);
        assert_int_equal(!!strstr(said, "mitigation meltdown: missing\n"),
                         (p->missing & MELTDOWN) != 0);
    }
}

/* A "no" is believed only of its own flaw, and a command is given only where the CPU has it. */
static void each_bit(void **state)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        struct mitigation_facts f = {~(1u << bit), 0, true, 0};
        uint32_t lost = bit == 26 ? IBPB : bit == 10 ? VERW : bit == 28 ? L1D : 0;
        assert_int_equal(mitigations_needed(&f),
                         ((IBPB | VERW | L1D) & ~lost) | ITLB | BTI | MELTDOWN);
        f = (struct mitigation_facts){0, 1u << bit, false, IBRS_ALL};
        assert_int_equal(mitigations_needed(&f),
                         ITLB | MELTDOWN | (1u << bit == BHI_CTRL ? 0 : BHB | ITS));
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        struct mitigation_facts f = {SPEC_CTRL | L1D_FLUSH, 0, true, 1ULL << bit};
        uint32_t verw = 1ULL << bit == FB_CLEAR || 1ULL << bit == RFDS_CLEAR ? VERW : 0;
        uint32_t l1d = 1ULL << bit == RDCL_NO || 1ULL << bit == SKIP_L1D ? 0 : L1D;
        uint32_t rest = 1ULL << bit == IBRS_ALL ? BHB : 1ULL << bit == TSX_CTRL ? TSX : 0;
        uint32_t itlb = 1ULL << bit == PSCHANGE ? 0 : ITLB;
        uint32_t missing = 1ULL << bit == IBRS_ALL  ? ITS | MELTDOWN
                           : 1ULL << bit == RDCL_NO ? BTI
                                                    : BTI | MELTDOWN;
        assert_int_equal(mitigations_needed(&f), IBPB | verw | l1d | itlb | rest | missing);
    }
}

/* IA32_TSX_CTRL, where it is to be written, and only there; its other bits stay. */
static void take_up(void **state)
{
    static const uint32_t nothing[MITIGATION_COUNT];

    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        said[0] = '\0';
        mitigations_init(&profiles[i].facts, nothing);
        tsx_ctrl = 2;
        mitigations_take_up();
        assert_int_equal(tsx_ctrl, profiles[i].needed & TSX ? 3 : 2);
    }
}

static void left_out(void **state)
{
    uint32_t off[MITIGATION_COUNT] = {[MITIGATION_VERW] = true};

    said[0] = '\0';
    mitigations_init(&profiles[1].facts, off);
    assert_true(mitigation_is_on(MITIGATION_IBPB) && mitigation_is_on(MITIGATION_L1D));
    assert_false(mitigation_is_on(MITIGATION_VERW));
    assert_string_equal(
        said, "mitigation ibpb\nmitigation verw: left out\nmitigation l1d\nmitigation itlb\n"
              "mitigation bti: missing\nmitigation meltdown: missing\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cpu),
        cmocka_unit_test(each_bit),
        cmocka_unit_test(take_up),
        cmocka_unit_test(left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
