/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of VMCS fields, exit reasons and VMX errors (R8), and the names of controls. */
#include "lib/exit_reasons.h"
#include "lib/vmcs.h"
#include "lib/vmx_caps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The parts of an encoding, SDM volume 3, "Field Encoding in VMCS". */
static void test_encodings(void **test)
{
    static const char *const prefixes[4] = {NULL, NULL, "guest", "host"};

    for (unsigned i = 0; i < VMCS_FIELD_COUNT; i++) {
        const uint32_t field = vmcs_field_at(i);
        const char *name = vmcs_field_name(field);
        const char *prefix = prefixes[(field >> 10) & 3];

        assert_int_equal(field & ~0x6ffeU,
                         0); /* reserved bits, and bit 0: the high half of a 64-bit field */
        if (i)
            assert_true(vmcs_field_at(i - 1) < field);
        assert_true(strlen(name) > 3);
        if (prefix && strncmp(name, prefix, strlen(prefix)) != 0)
            assert_true(field == VMCS_LINK_POINTER || field == VMCS_GUEST_PML_INDEX ||
                        field == VMCS_PREEMPTION_TIMER_VALUE);
    }
}

/* The entry checks count on the segments' fields, and the PDPTEs, following each other. */
static void test_segment_steps(void **test)
{
    assert_int_equal(VMCS_GUEST_TR_SELECTOR, VMCS_GUEST_ES_SELECTOR + 14);
    assert_int_equal(VMCS_INDEX_GUEST_TR_SELECTOR, VMCS_INDEX_GUEST_ES_SELECTOR + 7);
    assert_int_equal(VMCS_GUEST_TR_LIMIT, VMCS_GUEST_ES_LIMIT + 14);
    assert_int_equal(VMCS_INDEX_GUEST_TR_LIMIT, VMCS_INDEX_GUEST_ES_LIMIT + 7);
    assert_int_equal(VMCS_GUEST_TR_ACCESS_RIGHTS, VMCS_GUEST_ES_ACCESS_RIGHTS + 14);
    assert_int_equal(VMCS_INDEX_GUEST_TR_ACCESS_RIGHTS, VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS + 7);
    assert_int_equal(VMCS_GUEST_TR_BASE, VMCS_GUEST_ES_BASE + 14);
    assert_int_equal(VMCS_INDEX_GUEST_TR_BASE, VMCS_INDEX_GUEST_ES_BASE + 7);
    assert_int_equal(VMCS_INDEX_GUEST_PDPTE3, VMCS_INDEX_GUEST_PDPTE0 + 3);
}

static void test_names(void **test)
{
    assert_string_equal(vmcs_field_name(VMCS_GUEST_RIP), "guest RIP");
    assert_string_equal(vmcs_field_name(0x7ffe), "unknown field");
    assert_string_equal(exit_reason_name(EXIT_REASON_CPUID), "CPUID");
    assert_string_equal(exit_reason_name(EXIT_REASON_ENTRY_FAILED | 33),
                        "entry failure: invalid guest state");
    assert_string_equal(exit_reason_name(35), "unknown exit reason");
    assert_string_equal(exit_reason_name(EXIT_REASON_COUNT), "unknown exit reason");
    assert_string_equal(exit_reason_name(0xffff), "unknown exit reason");
    assert_string_equal(vm_instruction_error_name(7), "VM entry with invalid control fields");
    assert_string_equal(vm_instruction_error_name(0), "unknown VM-instruction error");
    assert_string_equal(vm_instruction_error_name(14), "unknown VM-instruction error");
    assert_string_equal(vm_instruction_error_name(29), "unknown VM-instruction error");
    assert_string_equal(vm_instruction_error_name(UINT32_MAX), "unknown VM-instruction error");
}

/* The option hide=. */
static void test_parse(void **test)
{
    uint64_t hidden;

    assert_true(vmx_control_parse("", &hidden));
    assert_int_equal(hidden, 0);
    assert_true(vmx_control_parse("vpid", &hidden));
    assert_int_equal(hidden, BIT(CONTROL_VPID));
    assert_true(vmx_control_parse("ept-1g,vpid,preemption-timer", &hidden));
    assert_int_equal(hidden,
                     BIT(CONTROL_VPID) | BIT(CONTROL_EPT_1G) | BIT(CONTROL_PREEMPTION_TIMER));
    assert_false(vmx_control_parse("vpid,ept-3g,ept", &hidden));
    assert_false(vmx_control_parse("vpid,", &hidden));
    assert_false(vmx_control_parse("vpi", &hidden));
    assert_false(vmx_control_parse("vpid ", &hidden));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_segment_steps),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_parse),
    };

    return cmocka_run_group_tests_name("vmx names", tests, NULL, NULL);
}
