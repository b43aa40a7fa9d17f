/* SPDX-License-Identifier: BSD-2-Clause */
/* How a VM ends, and what is said of it; and how it starts anew. */
#include <string.h>

#include "monitor/exit.h"
#include "monitor/policy.h"
#include "monitor/start.h"
#include "monitor/x86.h"
#include "tests/native/monitor/started.h"

/* R17 */
static void triple_fault(void **state)
{
    page.kind = EXIT_SHUTDOWN;
    page.shutdown.reason = SHUTDOWN_TRIPLE_FAULT;
    page.state.cr2 = 0xdead;
    info.on[PLAN_ON_FAULT] = PLAN_STOP;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_int_equal(fakes.stop, GATE_STOP_FAULT);
    assert_non_null(strstr(fakes.stop_text, "triple fault"));
    assert_non_null(strstr(fakes.log, "rip 0010:0000000000400000"));
    assert_non_null(strstr(fakes.log, "cr2 dead"));
    assert_non_null(strstr(fakes.log, "bytes at rip: f4 11 22"));
    page.shutdown.reason = 77;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_non_null(strstr(fakes.stop_text, "unknown"));
    page.kind = 99;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_non_null(strstr(fakes.stop_text, "exit kind 99 is not known"));
}

/* R9: the failed check is named, from the fields that ring 0 hands over. */
static void entry_fails(void **state)
{
    page.kind = EXIT_SHUTDOWN;
    page.shutdown.reason = SHUTDOWN_ENTRY_FAILED;
    page.shutdown.detail = 33;
    page.vmcs.caps.cr0_fixed1 = UINT64_MAX;
    page.vmcs.field[VMCS_INDEX_GUEST_CR0] = CR0_PG;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_int_equal(fakes.stop, GATE_STOP_FAULT);
    assert_non_null(strstr(fakes.stop_text, "state that cannot be entered; see the log"));
    assert_non_null(strstr(fakes.log, "entry failure: invalid guest state: guest CR0: PG is 1"));
    page.shutdown.detail = VM_ERROR_ENTRY_CONTROLS;
    page.vmcs.field[VMCS_INDEX_CR3_TARGET_COUNT] = 5;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_non_null(strstr(fakes.log, "invalid control fields: CR3-target count: more than"));
    page.shutdown.detail = UINT32_MAX;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_non_null(strstr(fakes.log, "unknown exit reason: CR3-target count"));
}

static void exit_without_handler(void **state)
{
    page.kind = EXIT_SHUTDOWN;
    page.shutdown.reason = SHUTDOWN_UNSUPPORTED;
    page.shutdown.detail = 17;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_non_null(strstr(fakes.log, "no handler for exit 17, RSM"));
    page.shutdown.detail = 35;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_non_null(strstr(fakes.log, "no handler for exit 35, unknown exit reason"));
}

/* What becomes of the VM: by the description, or as of a PC. */
static void actions(void **state)
{
    static const struct {
        enum plan_action on_reset, on_fault, on_halt;
        bool reset, triple_fault, fault, halt; /* it restarts */
    } rows[] = {
        {PLAN_AS_A_PC, PLAN_AS_A_PC, PLAN_STOP, true, true, false, false},
        {PLAN_RESTART, PLAN_AS_A_PC, PLAN_RESTART, true, true, false, true},
        {PLAN_STOP, PLAN_AS_A_PC, PLAN_STOP, false, false, false, false},
        {PLAN_STOP, PLAN_RESTART, PLAN_STOP, false, true, true, false},
        {PLAN_AS_A_PC, PLAN_STOP, PLAN_STOP, true, false, false, false},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const uint32_t on[] = {rows[i].on_reset, rows[i].on_fault, rows[i].on_halt};
        assert_int_equal(policy_restarts(on, HAPPENING_RESET), rows[i].reset);
        assert_int_equal(policy_restarts(on, HAPPENING_TRIPLE_FAULT), rows[i].triple_fault);
        assert_int_equal(policy_restarts(on, HAPPENING_FAULT), rows[i].fault);
        assert_int_equal(policy_restarts(on, HAPPENING_HALT), rows[i].halt);
    }
}

/* R17 */
static void triple_fault_restarts(void **state)
{
    page.kind = EXIT_SHUTDOWN;
    page.shutdown.reason = SHUTDOWN_TRIPLE_FAULT;
    page.state.rip = 0x1234;
    exit_handle(b, 0, &page);
    assert_int_equal(fakes.resets, 1);
    assert_int_equal(fakes.starts, 2);
    assert_int_equal(page.state.rip, CODE);
    assert_non_null(strstr(fakes.log, "rip 0010:0000000000001234"));
    assert_non_null(strstr(fakes.log, "restart: the guest stopped at rip 1234: a triple fault"));
    page.kind = EXIT_EVENTS;
    exit_handle(b, 0, &page);
    assert_int_equal(fakes.starts, 2); /* once */
}

static void faults_restart(void **state)
{
    info.on[PLAN_ON_FAULT] = PLAN_RESTART;
    code("\x0f\x58\x03", 3); /* addps xmm0, [rbx] */
    for (unsigned i = 0; i < REFUSED_TIMES; i++) {
        assert_int_equal(fakes.starts, 1);
        exit_handle(b, 0, &page);
    }
    assert_int_equal(fakes.starts, 2);
    info.on[PLAN_ON_RESET] = PLAN_STOP;
    board_out(b, 0, 0xcf9, 1, 6);
    page.kind = EXIT_EVENTS;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_int_equal(fakes.stop, GATE_STOP_POWER_OFF);
    assert_string_equal(fakes.stop_text, "the guest reset itself");
}

static void out(uint16_t port, unsigned size, uint32_t value)
{
    page.kind = EXIT_IO;
    page.io.in = 0;
    page.io.port = port;
    page.io.size = (uint8_t)size;
    page.io.value = value;
    exit_handle(b, 0, &page);
}

/* The guest says how it ended. */
static void verdicts(void **state)
{
    EXPECT_STOP(out(0xf4, 4, 0x10));
    assert_int_equal(fakes.stop, GATE_STOP_POWER_OFF);
    assert_string_equal(fakes.stop_text, "exit status 33");
    EXPECT_STOP(out(0xf4, 1, 0));
    assert_string_equal(fakes.stop_text, "exit status 1");
    EXPECT_STOP(out(0xf4, 2, 0xffff)); /* a program's has 8 bits */
    assert_string_equal(fakes.stop_text, "exit status 255");
    board_reset(b);
    assert_int_equal(board_in(b, 0, 0x505, 1), 3);
    out(0x505, 1, 2);
    EXPECT_STOP(out(0x505, 1, 1));
    assert_int_equal(fakes.stop, GATE_STOP_FAULT);
    assert_non_null(strstr(fakes.stop_text, "panicked"));
    info.on[PLAN_ON_FAULT] = PLAN_RESTART;
    out(0x505, 1, 1);
    assert_int_equal(fakes.starts, 2);
    out(0x505, 1, 2);
    assert_int_equal(fakes.starts, 2);
}

static uint32_t in(uint16_t port)
{
    page.kind = EXIT_IO;
    page.io.in = 1;
    page.io.port = port;
    page.io.size = 4;
    exit_handle(b, 0, &page);
    return page.io.value;
}

static void stand(void)
{
    longjmp(fakes.stopped, 1);
}

/* Runs `call`, in which the VM comes to stand, and sees what its page says then. */
#define EXPECT_STAND(call, how, number, words)                                                     \
    do {                                                                                           \
        fakes.spin = stand;                                                                        \
        if (setjmp(fakes.stopped) == 0) {                                                          \
            call;                                                                                  \
            fail_msg("it went on");                                                                \
        }                                                                                          \
        fakes.spin = NULL;                                                                         \
        assert_int_equal(fuzz->state, how);                                                        \
        assert_int_equal(fuzz->value, number);                                                     \
        assert_non_null(strstr(fuzz->why, words));                                                 \
        b->verdict = (struct verdict){0};                                                          \
    } while (0)

static void ready(void)
{
    out(FUZZ_BUFFER_PORT, 4, MEMORY - 64);
    out(FUZZ_ROOM_PORT, 4, 64);
}

/* A guest that is fuzzed: it hears of an input once, and whatever ends it then, its VM stands. */
static void fuzzed(void **state)
{
    struct fuzz_page *fuzz = (void *)(b->memory.base + FUZZ_PAGE);

    assert_int_equal(in(FUZZ_INPUT_PORT), 0);
    fuzz->given = FUZZ_GIVEN | 3;
    assert_int_equal(in(FUZZ_INPUT_PORT), 0); /* it is not ready */
    ready();
    assert_int_equal(fuzz->state, FUZZ_READY);
    assert_int_equal(fuzz->buffer, MEMORY - 64);
    assert_int_equal(fuzz->room, 64);
    assert_int_equal(in(FUZZ_INPUT_PORT), 0); /* it was not given since */
    out(FUZZ_DONE_PORT, 4, 1);
    assert_int_equal(fuzz->state, FUZZ_READY);
    fuzz->given = FUZZ_GIVEN;
    assert_int_equal(in(FUZZ_INPUT_PORT), FUZZ_GIVEN);
    assert_int_equal(fuzz->state, FUZZ_RUNS);
    assert_int_equal(in(FUZZ_INPUT_PORT), 0);
    ready();
    assert_int_equal(fuzz->state, FUZZ_RUNS);
    EXPECT_STAND(out(FUZZ_DONE_PORT, 4, 0x89abcdef), FUZZ_DONE, 0x89abcdef, "");
    EXPECT_STAND(out(0xf4, 4, 16), FUZZ_EXIT, 33, "exit status 33");
    EXPECT_STAND(out(0x505, 1, 1), FUZZ_FAULT, 0, "panicked");
    EXPECT_STAND(out(0xcf9, 1, 6), FUZZ_RESET, 0, "the guest reset itself");
    b->reset = (struct reset){0};
    page.kind = EXIT_EVENTS;
    page.events = EVENT_HALT;
    EXPECT_STAND(exit_handle(b, 0, &page), FUZZ_HALT, 0, "the guest halts for ever");
    page.kind = EXIT_SHUTDOWN;
    page.events = 0;
    page.shutdown.reason = SHUTDOWN_TRIPLE_FAULT;
    info.on[PLAN_ON_FAULT] = PLAN_RESTART;
    EXPECT_STAND(exit_handle(b, 0, &page), FUZZ_FAULT, 0, "a triple fault");
    b->pm.power_off = b->wish = true;
    page.kind = EXIT_EVENTS;
    EXPECT_STAND(exit_handle(b, 0, &page), FUZZ_POWER_OFF, 0, "the guest switched itself off");
    assert_int_equal(fakes.starts, 1);
}

/* Where a buffer cannot be the guest is not ready; its log says so once. A start ends all. */
static void not_fuzzed(void **state)
{
    struct fuzz_page *fuzz = (void *)(b->memory.base + FUZZ_PAGE);

    out(FUZZ_BUFFER_PORT, 4, MEMORY - 63);
    for (unsigned i = 0; i < 2; i++)
        out(FUZZ_ROOM_PORT, 4, 64);
    assert_int_equal(fuzz->state, FUZZ_NONE);
    assert_string_equal(fakes.log, "the guest is ready for inputs of 64 bytes at ffffc1, where it "
                                   "has no memory\n");
    ready();
    EXPECT_STOP(out(0xf4, 4, 16)); /* it has no input */
    b->verdict = (struct verdict){0};
    fuzz->given = FUZZ_GIVEN | 3;
    in(FUZZ_INPUT_PORT);
    board_reset(b);
    assert_int_equal(fuzz->state, FUZZ_NONE);
    assert_int_equal(fuzz->given, 0);
    EXPECT_STOP(out(0xf4, 4, 16));
}

/* What the guest has written is in the console's channel when its last line is in the log. */
static void last_words(void **state)
{
    for (const char *c = "good bye"; *c != '\0'; c++)
        out(0x3f8, 1, (uint8_t)*c);
    EXPECT_STOP(out(0xf4, 1, 0));
    fake_console_take(b, 2);
    assert_int_equal(fakes.output_size, 8);
    assert_memory_equal(fakes.output, "good bye", 8);
}

/* Whoever hears of it asks all, and each that is asked tells of itself when it comes; of those that
 * are off that is said at once. */
static void where_it_is(void **state)
{
    info.vcpus = 3;
    fakes.asked = 5;
    page.kind = EXIT_EVENTS;
    page.events = EVENT_CHANNEL(0);
    fake_console_type("", CONSOLE_ASK);
    page.state.rip = CODE;
    page.state.gpr[GPR_RAX] = 0x1234567890abcdef;
    exit_handle(b, 2, &page);
    assert_string_equal(fakes.log, "vcpu 1: off: it waits for a SIPI\n");
    page.events = EVENT_ASKED;
    exit_handle(b, 2, &page);
    assert_int_equal(page.reply, REPLY_DONE);
    assert_non_null(strstr(fakes.log, "vcpu 2: rip 0010:0000000000400000"));
    assert_non_null(strstr(fakes.log, "rax 1234567890abcdef"));
    assert_non_null(strstr(fakes.log, "bytes at rip: f4 11 22"));
    assert_null(strstr(fakes.log, "vcpu 0"));
    exit_handle(b, 0, &page);
    assert_non_null(strstr(fakes.log, "vcpu 0: rip 0010:0000000000400000"));
}

static void state_of_vmcs(void)
{
    page.state.rip = CODE;
}

/* With an exit whose instruction is done here: it is not done again. */
static void where_it_is_behind_an_access(void **state)
{
    code("\x88\x03", 2); /* mov [rbx], al */
    fakes.asked = 1;
    fakes.state = state_of_vmcs;
    page.events = EVENT_ASKED;
    exit_handle(b, 0, &page);
    assert_non_null(strstr(fakes.log, "vcpu 0: rip 0010:0000000000400000"));
    assert_int_equal(page.reply, REPLY_STATE);
    assert_int_equal(page.state.rip, CODE + 2);
}

/* A guest that halts with interrupts off: that is said once, and the description decides. */
static void halts_for_ever(void **state)
{
    page.kind = EXIT_EVENTS;
    page.events = EVENT_HALT;
    page.state.rip = CODE + 1;
    fakes.log_size = 0;
    exit_handle(b, 0, &page);
    assert_string_equal(fakes.log,
                        "the guest halts for ever, with interrupts off, at rip 400000\n");
    exit_handle(b, 0, &page);
    assert_int_equal(strlen(fakes.log), fakes.log_size);
    assert_non_null(strchr(fakes.log, '\n'));
    assert_null(strchr(strchr(fakes.log, '\n') + 1, '\n'));
    info.on[PLAN_ON_HALT] = PLAN_RESTART;
    exit_handle(b, 0, &page);
    assert_int_equal(fakes.starts, 2);
    info.on[PLAN_ON_HALT] = PLAN_STOP;
    page.state.rip = CODE + 1;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_int_equal(fakes.stop, GATE_STOP_POWER_OFF);
    assert_string_equal(fakes.stop_text, "the guest halts for ever, at rip 400000");
}

/* An NMI or an INIT of the IOAPIC's could wake it. */
static void halts_with_a_source(void **state)
{
    static const uint32_t entries[] = {0x400, 0x500}, masked = 0x10000;

    info.on[PLAN_ON_HALT] = PLAN_STOP;
    page.kind = EXIT_EVENTS;
    page.events = EVENT_HALT;
    for (unsigned i = 0; i < 2; i++) {
        board_store(b, 0, 0xfec00000, 4, 0x10 + 2 * 8);
        board_store(b, 0, 0xfec00010, 4, entries[i]);
        exit_handle(b, 0, &page);
        board_store(b, 0, 0xfec00010, 4, entries[i] | masked);
        EXPECT_STOP(exit_handle(b, 0, &page));
    }
}

static void power_off(void **state)
{
    page.kind = EXIT_IO;
    page.io.port = 0xb004;
    page.io.size = 2;
    page.io.value = 0x2000;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_int_equal(fakes.stop, GATE_STOP_POWER_OFF);
}

static void restart(void **state)
{
    board_out(b, 0, 0x3ff, 1, 0x55);
    memset(b->memory.base + CODE, 0xcc, 8);
    page.kind = EXIT_IO;
    page.io.port = 0xcf9;
    page.io.size = 1;
    page.io.value = 6;
    page.state.rip = 0x1234;
    exit_handle(b, 0, &page);
    assert_int_equal(fakes.starts, 2);
    assert_int_equal(page.state.rip, CODE);
    assert_memory_equal(b->memory.base + CODE, kernel_code, 8);
    assert_int_equal(board_in(b, 0, 0x3ff, 1), 0);
    page.io.port = 0x80;
    exit_handle(b, 0, &page);
    assert_int_equal(fakes.starts, 2); /* once */
}

/* Whichever vCPU asks for it, the first one starts. */
static void restart_by_another(void **state)
{
    static struct exit_page pages[2];

    pages[1].kind = EXIT_IO;
    pages[1].io.port = 0xcf9;
    pages[1].io.size = 1;
    pages[1].io.value = 6;
    exit_handle(b, 1, &pages[1]);
    assert_int_equal(fakes.resets, 1);
    assert_int_equal(fakes.starts, 2);
    assert_int_equal(pages[0].state.rip, CODE);
    assert_int_equal(pages[1].state.rip, 0);
}

/* A guest that resets in a loop gets ten starts in a second, and the log says why. */
static void restart_in_a_loop(void **state)
{
    uint64_t begin = fakes.tsc;

    page.kind = EXIT_IO;
    page.io.port = 0x64;
    page.io.size = 1;
    page.io.value = 0xfe;
    for (int i = 0; i < 10; i++)
        exit_handle(b, 0, &page);
    assert_int_equal(fakes.starts, 11);
    assert_true(fakes.tsc - begin >= b->process->tsc_khz * 1000);
    assert_string_equal(fakes.text, "the start is held back until 100 ms after the last one");
    fakes.tsc = begin = fakes.tsc + b->process->tsc_khz * 1000;
    exit_handle(b, 0, &page);
    assert_int_equal(fakes.tsc, begin);
    assert_string_equal(fakes.text, "restart");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entry_fails, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(exit_without_handler, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(triple_fault, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(actions, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(triple_fault_restarts, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(faults_restart, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(verdicts, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(fuzzed, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(not_fuzzed, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(last_words, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(where_it_is, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(where_it_is_behind_an_access, started_setup,
                                        started_teardown),
        cmocka_unit_test_setup_teardown(halts_for_ever, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(halts_with_a_source, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(power_off, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(restart, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(restart_by_another, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(restart_in_a_loop, started_setup, started_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
