/* SPDX-License-Identifier: BSD-2-Clause */
/* What `lintel caps` prints for CPUs of which the MSRs are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tool/capability.h"

/* A CPU that allows every control, both ways. */
static const struct vmx_caps everything = {
    .feature_control = 5,
    .pin = 0xffffffffULL << 32,
    .proc = 0xffffffffULL << 32,
    .proc2 = 0xffffffffULL << 32,
    .exit = 0xffffffffULL << 32,
    .entry = 0xffffffffULL << 32,
    .ept_vpid = UINT64_MAX,
    .cpuid_vmx = true,
};

/* The printed table; the caller frees it. */
static char *print(const struct vmx_caps *caps, bool *can_run)
{
    char *printed;
    size_t size;
    FILE *file = open_memstream(&printed, &size);

    *can_run = capability_print(file, caps);
    fclose(file);
    return printed;
}

static void expect(const struct vmx_caps *caps, bool can_run, const char *words)
{
    bool result;
    char *printed = print(caps, &result);

    if (result != can_run || !strstr(printed, words))
        fail_msg("expected %d and '%s', got %d and:\n%s", can_run, words, result, printed);
    free(printed);
}

static void a_whole_cpu_is_good(void **state)
{
    expect(&everything, true, "verdict: Lintel runs on this CPU\n");
}

static void every_control_has_its_line(void **state)
{
    for (int i = 0; i < CONTROL_COUNT; i++)
        expect(&everything, true, control_rows[i].name);
}

static void what_is_needed_is_named(void **state)
{
    struct vmx_caps caps = everything;

    caps.proc2 &= ~(BIT(CONTROL_BIT_UNRESTRICTED_GUEST) << 32);
    expect(&caps, false,
           "verdict: Lintel cannot run on this CPU: this CPU lacks unrestricted-guest (needed)");
}

static void what_is_wanted_has_its_price(void **state)
{
    struct vmx_caps caps = everything;

    caps.ept_vpid &= ~BIT(CONTROL_BIT_EPT_1G);
    expect(&caps, true, control_rows[CONTROL_EPT_1G].lost);
}

static void firmware_can_forbid(void **state)
{
    struct vmx_caps caps = everything;

    caps.feature_control = FEATURE_CONTROL_LOCK;
    expect(&caps, false, vmx_permission_words(VMX_LOCKED_OFF));
    caps.feature_control = 0;
    expect(&caps, true, vmx_permission_words(VMX_SET_AND_LOCK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_cpu_is_good),     cmocka_unit_test(every_control_has_its_line),
        cmocka_unit_test(what_is_needed_is_named), cmocka_unit_test(what_is_wanted_has_its_price),
        cmocka_unit_test(firmware_can_forbid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
