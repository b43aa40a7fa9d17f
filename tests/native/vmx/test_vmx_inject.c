/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event injection (R14, R15, R16, R17, R40): the SDM's tables exhaustively, and against the entry
 * checks: what is decided here must be what a CPU takes, and what is put off must be what it
 * refuses.
 */
#include "hypervisor/vmx/inject.h"
#include "tests/native/vmx/vmcs_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HARDWARE(vector) (EVENT_VALID | EVENT_TYPE_EXCEPTION << 8 | (vector))

static struct vmcs_model model;

/* One row for each vector, as in the SDM's exception table: b benign, c contributory, p page fault,
 * d double fault. */
static const char classes[] = "cbbbbbbbdbccccpbbbbbpcbbbbbbbbbb";

static void test_class_table(void **test)
{
    assert_int_equal(strlen(classes), 32);
}

static enum { PLAIN, DOUBLE, TRIPLE } expected(char first, char second)
{
    if (first == 'd' && (second == 'c' || second == 'p'))
        return TRIPLE;
    if (first == 'c' && second == 'c')
        return DOUBLE;
    return first == 'p' && (second == 'c' || second == 'p') ? DOUBLE : PLAIN;
}

/* SDM volume 3, table "Conditions for Generating a Double Fault", for all pairs of vectors and all
 * types of the first. */
static void test_double_faults(void **test)
{
    static const uint32_t types[] = {0, 2, 3, 4, 5, 6};

    for (unsigned t = 0; t < ARRAY_SIZE(types); t++)
        for (unsigned pair = 0; pair < 32 * 32; pair++) {
            const unsigned first = pair / 32, second = pair % 32;
            const char first_class = types[t] == EVENT_TYPE_EXCEPTION ? classes[first] : 'b';
            const struct event_exit exit = {
                .vectoring_info = EVENT_VALID | types[t] << 8 | first,
                .exit_info = HARDWARE(second),
                .exit_error_code = 0x18,
                .protected_mode = true,
            };
            const struct event_decision reflected = event_reflect(&exit);
            const struct event_decision raised = event_raise(&exit, second, 0x18);

            assert_int_equal(reflected.inject.info, raised.inject.info);
            assert_int_equal(reflected.inject.error_code, raised.inject.error_code);
            assert_int_equal(reflected.triple_fault, raised.triple_fault);
            switch (expected(first_class, classes[second])) {
            case PLAIN:
                assert_false(reflected.triple_fault);
                assert_int_equal(reflected.inject.info & ~EVENT_ERROR_CODE, HARDWARE(second));
                break;
            case DOUBLE:
                assert_false(reflected.triple_fault);
                assert_int_equal(reflected.inject.info, HARDWARE(8) | EVENT_ERROR_CODE);
                assert_int_equal(reflected.inject.error_code, 0);
                break;
            case TRIPLE:
                assert_true(reflected.triple_fault);
                assert_int_equal(reflected.inject.info, 0);
                break;
            }
        }
}

static void test_reflect(void **test)
{
    struct event_exit exit = {
        .exit_info = HARDWARE(VECTOR_PF) | EVENT_ERROR_CODE | EVENT_NMI_UNBLOCKED,
        .exit_error_code = 0x8007,
        .instruction_length = 3,
        .protected_mode = true,
    };
    struct event_decision decision = event_reflect(&exit);

    assert_int_equal(decision.inject.info, HARDWARE(VECTOR_PF) | EVENT_ERROR_CODE);
    assert_int_equal(decision.inject.error_code, 0x8007);
    assert_int_equal(decision.inject.length, 0);
    assert_int_equal(decision.interruptibility, 0); /* the guest's IRET has ended the blocking */
    exit.protected_mode = false; /* some CPUs report an error code in real mode all the same */
    decision = event_reflect(&exit);
    assert_int_equal(decision.inject.info, HARDWARE(VECTOR_PF));
    exit.exit_info = EVENT_VALID | EVENT_TYPE_SOFTWARE_EXCEPTION << 8 | VECTOR_BP;
    exit.instruction_length = 1;
    decision = event_reflect(&exit);
    assert_int_equal(decision.inject.info, exit.exit_info);
    assert_int_equal(decision.inject.length, 1);
}

static void test_error_codes(void **test)
{
    static const uint8_t with[] = {8, 10, 11, 12, 13, 14, 17, 21};
    const struct event_exit exit = {.protected_mode = true};
    uint32_t set = 0;

    for (size_t i = 0; i < ARRAY_SIZE(with); i++)
        set |= 1U << with[i];
    for (unsigned vector = 0; vector < 256; vector++) {
        const bool has = vector < 32 && (set & (1U << vector));

        assert_int_equal(event_has_error_code(vector), has);
        assert_int_equal((event_raise(&exit, vector, 1).inject.info & EVENT_ERROR_CODE) != 0, has);
        assert_int_equal(event_raise(&exit, vector, 1).inject.error_code, has);
    }
}

static void test_resume(void **test)
{
    struct event_exit exit = {
        .vectoring_info =
            EVENT_VALID | EVENT_NMI_UNBLOCKED | EVENT_TYPE_SOFTWARE_INTERRUPT << 8 | 0x80,
        .vectoring_error_code = 0x55,
        .instruction_length = 2,
        .interruptibility = BLOCKING_BY_NMI,
        .protected_mode = true,
    };
    struct event_decision decision = event_resume(&exit);

    assert_int_equal(decision.inject.info, EVENT_VALID | EVENT_TYPE_SOFTWARE_INTERRUPT << 8 | 0x80);
    assert_int_equal(decision.inject.length, 2);
    assert_int_equal(decision.inject.error_code, 0);
    assert_int_equal(decision.interruptibility, BLOCKING_BY_NMI);
    exit.vectoring_info = HARDWARE(VECTOR_GP) | EVENT_ERROR_CODE;
    decision = event_resume(&exit);
    assert_int_equal(decision.inject.info, exit.vectoring_info);
    assert_int_equal(decision.inject.error_code, 0x55);
    assert_int_equal(decision.inject.length, 0);
    exit.vectoring_info = EVENT_INFO(EVENT_TYPE_INTERRUPT, 0xee);
    assert_int_equal(event_resume(&exit).inject.info, EVENT_VALID | 0xee);
    exit.vectoring_info &= ~EVENT_VALID;
    assert_int_equal(event_resume(&exit).inject.info, 0);
}

/* R16 */
static void test_nmi_blocking(void **test)
{
    struct event_exit exit = {
        .vectoring_info = EVENT_INFO(EVENT_TYPE_NMI, VECTOR_NMI),
        .interruptibility = BLOCKING_BY_NMI,
        .protected_mode = true,
    };
    struct event_decision decision = event_resume(&exit);

    /* An NMI's own delivery exited: it is delivered again, once. */
    assert_int_equal(decision.inject.info, EVENT_INFO(EVENT_TYPE_NMI, VECTOR_NMI));
    assert_int_equal(decision.interruptibility, 0);
    /* An IRET faulted for a reason of the host's: it runs again and must find NMIs blocked. */
    exit = (struct event_exit){.exit_info = HARDWARE(VECTOR_PF) | EVENT_NMI_UNBLOCKED,
                               .protected_mode = true};
    assert_int_equal(event_resume(&exit).interruptibility, BLOCKING_BY_NMI);
    exit.exit_info = HARDWARE(VECTOR_DF) | EVENT_NMI_UNBLOCKED;
    assert_int_equal(event_resume(&exit).interruptibility, 0);
    exit.exit_info = (HARDWARE(VECTOR_PF) | EVENT_NMI_UNBLOCKED) & ~EVENT_VALID;
    assert_int_equal(event_resume(&exit).interruptibility, 0);
    exit.exit_info = HARDWARE(VECTOR_PF) | EVENT_NMI_UNBLOCKED;
    exit.vectoring_info = EVENT_INFO(EVENT_TYPE_INTERRUPT, 32);
    assert_int_equal(event_resume(&exit).interruptibility, 0);
    assert_int_equal(event_restore_nmi_blocking(BLOCKING_BY_STI, true, 0),
                     BLOCKING_BY_STI | BLOCKING_BY_NMI);
    assert_int_equal(event_restore_nmi_blocking(BLOCKING_BY_STI, false, 0), BLOCKING_BY_STI);
    assert_int_equal(event_restore_nmi_blocking(0, true, EVENT_VALID), 0);
}

static uint64_t random_state = 0x123456789abcdef;

static uint32_t random_u32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

/* An interruption-information value as an exit may report it, with its undefined bit either way. */
static uint32_t random_info(void)
{
    static const uint8_t types[] = {0, 2, 3, 3, 3, 4, 5, 6};
    const unsigned type = types[random_u32() % ARRAY_SIZE(types)];
    uint32_t vector = random_u32() & (type == 0 || type == 4 ? 0xff : 0x1f);

    if (type == EVENT_TYPE_NMI)
        vector = VECTOR_NMI;
    return (random_u32() & (EVENT_VALID | EVENT_NMI_UNBLOCKED | EVENT_ERROR_CODE)) | type << 8 |
           vector;
}

/* Whatever an exit says, the CPU takes what was decided. */
static void test_decisions_are_entered(void **test)
{
    for (unsigned round = 0; round < 200000; round++) {
        const struct event_exit exit = {
            .vectoring_info = random_info(),
            .vectoring_error_code = random_u32(),
            .exit_info = random_info(),
            .exit_error_code = random_u32(),
            .instruction_length = 1 + random_u32() % 15,
            .protected_mode = random_u32() & 1,
        };
        const struct event_decision decisions[] = {
            event_resume(&exit),
            event_reflect(&exit),
            event_raise(&exit, random_u32() & 31, random_u32()),
        };

        if (round % 1000 == 0) {
            model_long_mode(&model);
            model.values.caps.misc &= ~BIT(30);
        }
        for (size_t i = 0; i < ARRAY_SIZE(decisions); i++) {
            const struct event *event = &decisions[i].inject;

            model_write(&model, VMCS_GUEST_CR0, exit.protected_mode ? 0x80000031 : 0x30);
            model_write(&model, VMCS_ENTRY_INTERRUPTION_INFO, event->info);
            model_write(&model, VMCS_ENTRY_EXCEPTION_ERROR_CODE, event->error_code);
            model_write(&model, VMCS_ENTRY_INSTRUCTION_LENGTH, event->length);
            assert_null(entry_check_controls(&model.values));
        }
    }
}

/* For each state of the guest that may be entered: "now" if and only if the CPU takes the event. */
static void test_windows(void **test)
{
    for (unsigned bits = 0; bits < 1U << 7; bits++) {
        const bool nmi = bits & 1;
        const struct inject_state state = {
            .rflags = 2 | (bits & 2 ? 0x200 : 0),
            .interruptibility = (bits >> 2) & 0x1f,
        };
        const bool takes = nmi ? inject_takes_nmi(&state) : inject_takes_interrupt(&state);

        model_long_mode(&model);
        model_write(&model, VMCS_GUEST_RFLAGS, state.rflags);
        model_write(&model, VMCS_GUEST_INTERRUPTIBILITY, state.interruptibility);
        if (entry_check(&model.values))
            continue;
        model_write(&model, VMCS_ENTRY_INTERRUPTION_INFO,
                    nmi ? EVENT_INFO(EVENT_TYPE_NMI, VECTOR_NMI)
                        : EVENT_INFO(EVENT_TYPE_INTERRUPT, 0x31));
        assert_int_equal(takes, entry_check(&model.values) == NULL);
    }
}

static void test_one_event(void **test)
{
    const struct inject_state state = {.rflags = 0x202, .entry_info = HARDWARE(VECTOR_PF)};
    const struct inject_state stepping = {.rflags = 0x302, .pending_debug = PENDING_DEBUG_BS};

    assert_false(inject_takes_interrupt(&state));
    assert_false(inject_takes_nmi(&state));
    assert_false(inject_takes_interrupt(&stepping));
    assert_false(inject_takes_nmi(&stepping));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_table),
        cmocka_unit_test(test_double_faults),
        cmocka_unit_test(test_reflect),
        cmocka_unit_test(test_error_codes),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_nmi_blocking),
        cmocka_unit_test(test_decisions_are_entered),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_one_event),
    };

    return cmocka_run_group_tests_name("event injection", tests, NULL, NULL);
}
