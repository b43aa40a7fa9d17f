/* SPDX-License-Identifier: BSD-2-Clause */
/* The control process's own sources behind a port that is simulated: what it answers, and that
 * nothing but a whole request has it do anything. */
#include "control_machine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bits.h"
#include "lib/control_frame.h"
#include "runtime/gate.h"
#include "services/control/control.h"
#include "services/control/hold.h"

static void it_says_what_there_is(void **state)
{
    struct control_hello hello;
    struct control_vm vm = {0};

    begin();
    struct control_answer a = ask(CONTROL_CALL_HELLO, 0, 0);
    memcpy(&hello, a.data, sizeof(hello));
    assert_int_equal(hello.version, CONTROL_LINE_VERSION);
    assert_int_equal(hello.vms, 3);
    a = ask(CONTROL_CALL_LOOK, 1, 0);
    assert_int_equal(a.size, offsetof(struct control_vm, exits) + 11 * sizeof(uint64_t));
    memcpy(&vm, a.data, a.size);
    assert_string_equal(vm.name, "b");
    assert_int_equal(vm.exits[10], 5);
    assert_int_equal(vm.used.time, 3);
    assert_int_equal(vm.used.msr_reads, 4);
    expect(CONTROL_CALL_LOOK, 2, CONTROL_NO_VM);
    expect(CONTROL_CALL_LOOK, 255, CONTROL_NO_VM);
    expect(CONTROL_CALL_COUNT, 0, CONTROL_NO_CALL);
    expect(255, 0, CONTROL_NO_CALL);
}

static enum control_vm_state state_of(uint8_t vm)
{
    struct control_answer a = ask(CONTROL_CALL_LOOK, vm, 0);
    struct control_vm is = {0};

    memcpy(&is, a.data, a.size);
    return is.state;
}

/* They are there whatever VMs are controlled. */
static void processes_are_looked_at(void **state)
{
    begin();
    for (uint8_t i = 0; i < PROCESSES; i++) {
        struct control_answer a = ask(CONTROL_CALL_PROCESS, i, 0);
        assert_int_equal(a.error, CONTROL_OK);
        assert_int_equal(a.size, sizeof(processes[i]));
        assert_memory_equal(a.data, &processes[i], sizeof(processes[i]));
    }
    expect(CONTROL_CALL_PROCESS, PROCESSES, CONTROL_NO_VM);
    expect(CONTROL_CALL_PROCESS, 255, CONTROL_NO_VM);
}

/* Each call in each state: what comes of it, and what is said. */
static void each_call_has_its_states(void **state)
{
    enum { RUNS, PAUSED, ENDED, STOPPED, SAME };
    static const struct {
        enum control_call call;
        int after[4]; /* by the state before; SAME: it is refused */
    } rows[] = {
        {CONTROL_CALL_PAUSE, {PAUSED, SAME, SAME, SAME}},
        {CONTROL_CALL_RESUME, {SAME, RUNS, SAME, SAME}},
        {CONTROL_CALL_RESET, {RUNS, PAUSED, SAME, SAME}},
        {CONTROL_CALL_STOP, {STOPPED, STOPPED, SAME, STOPPED}},
        {CONTROL_CALL_START, {SAME, SAME, SAME, RUNS}},
        {CONTROL_CALL_POWER_OFF, {RUNS, PAUSED, SAME, SAME}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (int before = RUNS; before <= STOPPED; before++) {
            begin();
            if (before == STOPPED)
                expect(CONTROL_CALL_STOP, 0, CONTROL_OK);
            else
                machine.vms[0].state = (enum gate_vm_state)before;
            int after = rows[i].after[before];
            bool resets = after != SAME && (rows[i].call == CONTROL_CALL_RESET ||
                                            rows[i].call == CONTROL_CALL_START);
            expect(rows[i].call, 0, after == SAME ? CONTROL_STATE : CONTROL_OK);
            assert_int_equal(state_of(0), after == SAME ? before : after);
            assert_int_equal(machine.vms[0].resets, resets);
            assert_int_equal(machine.vms[0].presses,
                             after != SAME && rows[i].call == CONTROL_CALL_POWER_OFF);
            assert_int_equal(state_of(1), CONTROL_VM_RUNS);
            expect(rows[i].call, 2, CONTROL_NO_VM);
        }
}

static uint64_t next_piece(uint64_t from)
{
    struct control_answer a = ask(CONTROL_CALL_SEARCH, 0, from);
    uint64_t at;

    assert_int_equal(a.error, CONTROL_OK);
    assert_int_equal(a.size, sizeof(at));
    memcpy(&at, a.data, sizeof(at));
    return at;
}

static void memory_is_read(void **state)
{
    struct guest_state registers;

    begin();
    struct control_answer a = ask(CONTROL_CALL_REGISTERS, 0, 0);
    memcpy(&registers, a.data, sizeof(registers));
    assert_int_equal(a.size, offsetof(struct guest_state, rip) + 8); /* zeros are left out */
    assert_true(registers.rip == 0xffffffff80000000);
    assert_int_equal(ask(CONTROL_CALL_REGISTERS, 0, CONTROL_VCPU(1)).error, CONTROL_STATE);
    assert_int_equal(ask(CONTROL_CALL_REGISTERS, 0, CONTROL_VCPU(2)).error, CONTROL_NO_VM);
    assert_int_equal(ask(CONTROL_CALL_REGISTERS, 0, UINT64_MAX).error, CONTROL_NO_VM);
    assert_int_equal(next_piece(FULL + 2 * CONTROL_DATA - CONTROL_SEARCH), FULL + CONTROL_DATA);
    assert_int_equal(next_piece(FULL + CONTROL_DATA), FULL + CONTROL_DATA);
    assert_int_equal(next_piece(FULL + 2 * CONTROL_DATA), FULL + 2 * CONTROL_DATA + CONTROL_SEARCH);
    assert_int_equal(next_piece(MEMORY - CONTROL_DATA), MEMORY);
    a = ask(CONTROL_CALL_MEMORY, 0, FULL + CONTROL_DATA);
    assert_int_equal(a.size, 10);
    assert_int_equal(a.data[9], 'x');
    assert_int_equal(ask(CONTROL_CALL_MEMORY, 0, 0).size, 0);
    assert_int_equal(ask(CONTROL_CALL_MEMORY, 0, 1).error, CONTROL_NO_VM);
    static const uint64_t wrong[] = {MEMORY, 1ULL << 63, UINT64_MAX - CONTROL_DATA + 1};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_int_equal(ask(CONTROL_CALL_MEMORY, 0, wrong[i]).error, CONTROL_NO_VM);
        assert_int_equal(ask(CONTROL_CALL_SEARCH, 0, wrong[i]).error, CONTROL_NO_VM);
    }
    a = ask(CONTROL_CALL_READ, 0, (FULL + CONTROL_DATA + 8) | CONTROL_BYTE(100));
    assert_int_equal(a.size, 2);
    assert_int_equal(a.data[1], 'x');
    assert_int_equal(ask(CONTROL_CALL_READ, 0, (FULL + PAGE_SIZE - 99) | CONTROL_BYTE(100)).error,
                     CONTROL_NO_VM);
    assert_int_equal(ask(CONTROL_CALL_READ, 2, CONTROL_BYTE(1)).error, CONTROL_NO_VM);
    assert_int_equal(ask(CONTROL_CALL_REGISTERS, 2, 0).error, CONTROL_NO_VM);
    assert_int_equal(ask(CONTROL_CALL_MEMORY, 2, 0).error, CONTROL_NO_VM);
    assert_int_equal(ask(CONTROL_CALL_SEARCH, 2, 0).error, CONTROL_NO_VM);
}

static void a_debugger_is_passed_on(void **state)
{
    uint64_t value;

    begin();
    assert_int_equal(ask(CONTROL_CALL_POKE, 0, 0x1234 | CONTROL_BYTE(0x56)).error, CONTROL_OK);
    assert_true(machine.poked == (0x1234 | CONTROL_BYTE(0x56)));
    assert_int_equal(ask(CONTROL_CALL_WRITE, 0, 0x1234 | CONTROL_WORD(0x89674523)).error,
                     CONTROL_OK);
    assert_true(machine.poked == (0x1237 | CONTROL_BYTE(0x89)));
    assert_true(machine.poked_before == (0x1236 | CONTROL_BYTE(0x67)));
    assert_int_equal(ask(CONTROL_CALL_WRITE, 0, 0xffffffff | CONTROL_WORD(1)).error, CONTROL_OK);
    assert_true(machine.poked == (0x100000002 | CONTROL_BYTE(0)));
    assert_int_equal(ask(CONTROL_CALL_WRITE, 2, 0x1234).error, CONTROL_NO_VM);
    assert_int_equal(ask(CONTROL_CALL_SET, 0, 7 | CONTROL_INDEX(3)).error, CONTROL_OK);
    assert_true(machine.set_state.gpr[1] == 7ULL << 32);
    struct control_answer a = ask(CONTROL_CALL_MSR, 0, 0xc0000080);
    assert_int_equal(a.size, sizeof(value));
    memcpy(&value, a.data, sizeof(value));
    assert_int_equal(value, 0xc0000080);
    assert_int_equal(ask(CONTROL_CALL_DEBUG, 0, GATE_DEBUG_LOOK).size, sizeof(struct gate_stopped));
    assert_int_equal(ask(CONTROL_CALL_PATCH, 0, FULL | CONTROL_BYTE(1)).size, 1);
    assert_true(machine.poked == (FULL | CONTROL_BYTE(0xcc)));
    for (unsigned call = CONTROL_CALL_DEBUG; call < CONTROL_CALL_RELEASE; call++)
        assert_int_equal(ask(call, 2, CONTROL_BYTE(1)).error, CONTROL_NO_VM);
}

static void put_record(const char *text)
{
    struct log_record is = {.length = (uint16_t)strlen(text), .vm = LOG_NO_VM};
    uint8_t bytes[sizeof(is) + LOG_LINE_MAX];

    memcpy(bytes, &is, sizeof(is));
    memcpy(bytes + sizeof(is), text, is.length);
    for (size_t i = 0; i < sizeof(is) + is.length; i++)
        machine.log.bytes[(machine.log.tail + i) % LOG_RING_SIZE] = bytes[i];
    machine.log.tail = align_up(machine.log.tail + sizeof(is) + is.length, LOG_ALIGN);
}

/* Page by page, over the ring's end; a place that is none, or is written over, is the end. */
static void the_log_is_read(void **state)
{
    struct control_log log = {0};
    unsigned pages = 0;

    begin();
    machine.log.tail = log.next = 3 * LOG_RING_SIZE - 400;
    for (unsigned i = 0; i < 40; i++)
        put_record("a line of the hypervisor's");
    for (; log.next < machine.log.tail; pages++) {
        struct control_answer a = ask(CONTROL_CALL_LOG, 0, log.next);
        uint64_t at = log.next;
        memcpy(&log, a.data, sizeof(log));
        assert_int_equal(log.at, at);
        assert_int_equal(log.next - log.at, a.size - sizeof(log));
        assert_memory_equal(a.data + sizeof(log) + sizeof(struct log_record), "a line of", 9);
        assert_true(log.next > at);
    }
    assert_in_range(pages, 2, 4);
    static const uint64_t strange[] = {0, 1, UINT64_MAX, UINT64_MAX - 3, 1ULL << 63};
    for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
        struct control_answer a = ask(CONTROL_CALL_LOG, 0, strange[i]);
        memcpy(&log, a.data, sizeof(log));
        assert_int_equal(log.next, machine.log.tail);
        assert_int_equal(a.size, sizeof(log));
    }
}

/* Whatever comes before it, a request is found; and nothing else is answered, or done. */
static void noise_does_nothing(void **state)
{
    begin();
    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t noise[64];
        size_t count = (size_t)rand() % sizeof(noise);
        struct control_request r = request(rand() % CONTROL_CALL_COUNT, 0, 0);

        for (size_t i = 0; i < count; i++)
            noise[i] = rand() % 3 ? (uint8_t)rand() : CONTROL_REQUEST;
        if (round % 2 == 0 && count >= sizeof(r)) { /* nearly a request */
            memcpy(noise, &r, sizeof(r));
            noise[rand() % (int)sizeof(r)] ^= (uint8_t)(1 + rand() % 255);
        }
        machine.port.sent_count = 0;
        type(noise, count);
        settle();
        assert_int_equal(machine.port.sent_count, 0);
        assert_int_equal(machine.acts, 0);
        expect(CONTROL_CALL_LOOK, 0, CONTROL_OK);
    }
}

/* Each beginning of answers, true and damaged ones, is judged without a look behind it. */
static void an_answers_frame_is_judged(void **state)
{
    struct control_answer a = {.magic = CONTROL_ANSWER, .size = 100};
    size_t whole = control_seal(&a), size;

    srand(2);
    for (unsigned round = 0; round < 20000; round++) {
        size_t count = (size_t)rand() % (sizeof(a) + 1);
        uint8_t *bytes = malloc(count + 1); /* of its own: a sanitizer sees what is read */
        bool damaged = rand() % 2 && count > 0;
        bytes = realloc(bytes, count > 0 ? count : 1);
        memcpy(bytes, &a, count);
        if (damaged)
            bytes[(size_t)rand() % (count < whole ? count : whole)] ^= (uint8_t)(1 + rand() % 255);
        enum control_verdict verdict = control_frame(bytes, count, CONTROL_ANSWER, &size);
        if (!damaged)
            assert_int_equal(verdict, count < whole ? CONTROL_FRAME_SHORT : CONTROL_FRAME_WHOLE);
        else
            assert_int_not_equal(verdict, CONTROL_FRAME_WHOLE);
        free(bytes);
    }
}

/* One that asks for ever takes a bounded time of each turn, and then waits; one that is not there
 * is told. */
static void a_port_that_is_out_of_order(void **state)
{
    static const struct process_info info = {.tsc_khz = 1000, .ports = {{BASE, 8}}};

    begin();
    machine.port.babbles = true;
    machine.port.accesses = 0;
    control_work(EVENT_INTERRUPT(0));
    assert_in_range(machine.port.accesses, 1, 2000);
    assert_true(machine.timer > gate_tsc());
    machine.port.babbles = false;
    machine.port.absent = true;
    assert_false(control_start(&info, &machine.log, ring_of(0)));
}

/* Whether it has ended after so many ms in which nobody asks. */
static bool ends_within(unsigned ms)
{
    uint64_t end = machine.tsc + ms * 1000ULL;

    while (setjmp(machine.end) == 0) {
        if (machine.tsc >= end)
            return false;
        machine.tsc += HOLD_LOOK_MS * 1000;
        control_work(0);
    }
    return true;
}

/* Where the machine's end waits for it, it ends when all VMs have, and nobody wants anything. */
static void it_holds_what_has_ended(void **state)
{
    begin();
    machine.vms[0].state = machine.vms[1].state = GATE_VM_ENDED;
    expect(CONTROL_CALL_RELEASE, 0, CONTROL_OK);
    assert_false(ends_within(10000));
    begin_awaited();
    machine.vms[0].state = GATE_VM_ENDED;
    expect(CONTROL_CALL_RELEASE, 0, CONTROL_OK);
    assert_false(ends_within(10000));
    machine.vms[1].state = GATE_VM_ENDED;
    assert_true(ends_within(2000));
    begin_awaited();
    machine.vms[0].state = machine.vms[1].state = GATE_VM_ENDED;
    assert_false(ends_within((CONTROL_HELD_S - 10) * 1000));
    assert_int_equal(machine.lines, 1);
    expect(CONTROL_CALL_LOOK, 0, CONTROL_OK);
    assert_false(ends_within((CONTROL_HELD_S - 10) * 1000));
    assert_true(ends_within(20000));
}

/* Two at once: the second one is dropped, and its sender asks again. */
static void one_request_at_a_time(void **state)
{
    struct control_request r[2] = {request(CONTROL_CALL_LOOK, 0, 0),
                                   request(CONTROL_CALL_LOOK, 1, 0)};
    size_t size;

    begin();
    type(r, sizeof(r));
    settle();
    assert_int_equal(
        control_frame(machine.port.sent, machine.port.sent_count, CONTROL_ANSWER, &size),
        CONTROL_FRAME_WHOLE);
    assert_int_equal(size, machine.port.sent_count);
    expect(CONTROL_CALL_LOOK, 1, CONTROL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_there_is),       cmocka_unit_test(processes_are_looked_at),
        cmocka_unit_test(each_call_has_its_states),    cmocka_unit_test(memory_is_read),
        cmocka_unit_test(a_debugger_is_passed_on),     cmocka_unit_test(the_log_is_read),
        cmocka_unit_test(noise_does_nothing),          cmocka_unit_test(an_answers_frame_is_judged),
        cmocka_unit_test(a_port_that_is_out_of_order), cmocka_unit_test(one_request_at_a_time),
        cmocka_unit_test(it_holds_what_has_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
