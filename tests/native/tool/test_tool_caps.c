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

/* As an old CPU: no more than that ITLB multihit is not denied. */
static const struct mitigation_facts old;

/* The printed table; the caller frees it. */
static char *print(const struct vmx_caps *caps, bool *can_run)
{
    char *printed;
    size_t size;
    FILE *file = open_memstream(&printed, &size);

    *can_run = capability_print(file, caps, &old);
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

static void every_mitigation_has_its_line(void **state)
{
    for (int i = 0; i < MITIGATION_ROWS; i++)
        expect(&everything, true, caps_mitigations[i].name);
    expect(&everything, true, "  mitigation-ibpb                  not needed: Spectre 2");
    expect(&everything, true, "  mitigation-itlb                  needed: ITLB multihit");
    expect(&everything, true, "  mitigation-bti                   needed (missing): Spectre 2");
    expect(&everything, true, "  mitigation-its                   not needed: ITS");
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

/* The JSON for a CPU; the caller frees it. */
static char *json(const struct capability *capability)
{
    char *printed;
    size_t size;
    FILE *file = open_memstream(&printed, &size);

    capability_write_json(file, NULL, capability);
    fclose(file);
    return printed;
}

/* What the hypervisor prints of an emulated CPU and what is read of this one come to the same. */
static void the_hypervisors_table_is_read(void **state)
{
    struct vmx_caps caps = everything;
    struct capability judged, parsed;
    char console[0x4000];
    int length = 0;

    caps.ept_vpid &= ~BIT(CONTROL_BIT_EPT_1G);
    capability_judge(&caps, &old, &judged);
    assert_false(judged.has[CONTROL_EPT_1G]);
    assert_true(judged.can_run);
    length += sprintf(console, "lintel: version 1\r\nlintel: caps: %s\r\n", judged.permission);
    for (int i = 0; i < CONTROL_COUNT; i++)
        length += sprintf(console + length, "lintel: %-30s %-16s %s\r\n", control_rows[i].name,
                          judged.has[i] ? "ok" : "absent (wanted)", judged.has[i] ? "" : "gone");
    for (int i = 0; i < MITIGATION_ROWS; i++)
        length += sprintf(console + length, "lintel: %-30s %-16s %s\r\n", caps_mitigations[i].name,
                          caps_mitigation_verdict(&old, i), caps_mitigations[i].flaw);
    FILE *file = fmemopen(console, (size_t)length, "r");
    assert_false(capability_parse(file, &parsed)); /* it was cut before the verdict */
    fclose(file);
    length += sprintf(console + length, "lintel: caps: verdict: Lintel runs on this CPU\r\n");
    file = fmemopen(console, (size_t)length, "r");
    assert_true(capability_parse(file, &parsed));
    fclose(file);
    char *a = json(&judged), *b = json(&parsed);
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "\"good\": true"));
    assert_non_null(strstr(a, "{\"name\": \"ept-1g\", \"needed\": false, \"has\": false, "));
    assert_non_null(
        strstr(a, "{\"name\": \"itlb\", \"needed\": true, \"done\": true, \"against\": "));
    assert_non_null(
        strstr(a, "{\"name\": \"ibpb\", \"needed\": false, \"done\": false, \"against\": "));
    assert_non_null(
        strstr(a, "{\"name\": \"bti\", \"needed\": true, \"done\": false, \"against\": "));
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_cpu_is_good),
        cmocka_unit_test(every_control_has_its_line),
        cmocka_unit_test(every_mitigation_has_its_line),
        cmocka_unit_test(what_is_needed_is_named),
        cmocka_unit_test(what_is_wanted_has_its_price),
        cmocka_unit_test(firmware_can_forbid),
        cmocka_unit_test(the_hypervisors_table_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
