/* SPDX-License-Identifier: BSD-2-Clause */
/* The control process's own sources behind a port that is simulated: what it answers, and that
 * nothing but a whole request has it do anything. */
/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "abi/console.h"
#include "lib/bits.h"
#include "lib/control_frame.h"
#include "lib/trace_pack.h"
#include "runtime/channel.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "services/control/control.h"
#include "services/control/watch.h"

#define BASE      0x2f8
#define VMS       3 /* of which the last may not be controlled */
#define PROCESSES 3
#define RINGS     2

#define MEMORY 0x600000u
#define FULL   0x1ff000u /* the one page with something in it */

enum { DATA, IER, IIR, LSR = 5, SCRATCH = 7 };

static struct {
    uint8_t typed[0x1000], sent[0x4000];
    size_t typed_at, typed_count, sent_count;
    uint8_t scratch;
    bool absent, babbles;
    unsigned accesses;
} port;

static struct {
    enum gate_vm_state state;
    unsigned resets, presses;
} vms[VMS];

static const struct gate_process processes[PROCESSES] = {
    {"console", 7, 100}, {"control", 7, 200}, {"net", 7, 300}};
static char text_page[PROCESS_TEXT_SIZE] __attribute__((aligned(8)));
static struct log_ring ring;
static uint64_t poked;
static struct guest_state set_state;
static uint8_t rings[RINGS * PROCESS_TRACE_STRIDE]; /* of the trace */
static struct {
    unsigned vms, processes; /* traced: a bit for each */
} traced;
static uint8_t channel_pages[PROCESS_CHANNEL_STRIDE * 2] __attribute__((aligned(4096)));
static struct channel_end console; /* the other end of the second channel: VM 1's */
static unsigned acts;              /* calls that change something */
static uint64_t timer;

uint8_t inb(uint16_t number)
{
    port.accesses++;
    if (port.absent)
        return 0xff;
    switch (number - BASE) {
    case DATA:
        return port.babbles ? CONTROL_REQUEST : port.typed[port.typed_at++];
    case IIR:
        return port.babbles || port.typed_at < port.typed_count ? 0xc4 : 0xc1;
    case LSR:
        return (uint8_t)(0x60 | (port.babbles || port.typed_at < port.typed_count));
    case SCRATCH:
        return port.scratch;
    default:
        fail_msg("port %x is read", number);
        return 0;
    }
}

void outb(uint16_t number, uint8_t value)
{
    static bool latch;

    port.accesses++;
    if (number == BASE + SCRATCH)
        port.scratch = value;
    if (number == BASE + 3)
        latch = value & 0x80;
    if (number == BASE + DATA && !latch) {
        assert_in_range(port.sent_count, 0, sizeof(port.sent) - 1);
        port.sent[port.sent_count++] = value;
    }
}

int64_t gate_control(unsigned vm, enum gate_control what, uint64_t argument)
{
    struct gate_vm is = {.memory = MEMORY,
                         .vcpus = 1,
                         .tsc = 7,
                         .used = {.time = 3, .msr_reads = 4},
                         .exits = {[10] = 5}};

    if (what == GATE_CONTROL_PROCESS && vm < PROCESSES) {
        memcpy(text_page, &processes[vm], sizeof(processes[vm]));
        return 0;
    }
    if (what == GATE_CONTROL_TRACE_PROCESS && vm < PROCESSES) {
        acts++;
        traced.processes = (traced.processes & ~(1u << vm)) | (unsigned)argument << vm;
        return 0;
    }
    if (vm >= VMS - 1)
        return GATE_EINVAL;
    acts += what != GATE_CONTROL_LOOK;
    switch (what) {
    case GATE_CONTROL_LOOK:
        is.name[0] = (char)('a' + vm);
        is.state = vms[vm].state;
        memcpy(text_page, &is, sizeof(is));
        return 0;
    case GATE_CONTROL_PAUSE:
        if (vms[vm].state != GATE_VM_RUNS)
            return GATE_ESTATE;
        vms[vm].state = GATE_VM_PAUSED;
        return 0;
    case GATE_CONTROL_RESUME:
        if (vms[vm].state != GATE_VM_PAUSED)
            return GATE_ESTATE;
        vms[vm].state = GATE_VM_RUNS;
        return 0;
    case GATE_CONTROL_REGISTERS:
        acts--;
        if (GATE_CONTROL_VCPU(argument) > 1)
            return GATE_EINVAL;
        if (GATE_CONTROL_VCPU(argument) == 1)
            return GATE_ESTATE;
        memset(text_page, 0, sizeof(text_page));
        ((struct guest_state *)(void *)text_page)->rip = 0xffffffff80000000;
        return 0;
    case GATE_CONTROL_MEMORY:
        acts--;
        if (argument >= MEMORY)
            return GATE_EINVAL;
        memset(text_page, 0, sizeof(text_page));
        if (align_down(argument, PAGE_SIZE) == FULL)
            text_page[CONTROL_DATA + 9] = 'x';
        return 0;
    case GATE_CONTROL_POKE:
        poked = argument;
        return 0;
    case GATE_CONTROL_SET:
        memcpy(&set_state, text_page, sizeof(set_state));
        return 0;
    case GATE_CONTROL_MSR:
        memcpy(text_page, &argument, sizeof(argument));
        return 0;
    case GATE_CONTROL_DEBUG:
        memset(text_page, 0, sizeof(text_page));
        ((struct gate_stopped *)(void *)text_page)->why = GATE_STOPPED_NOT;
        return 0;
    case GATE_CONTROL_TRACE:
        traced.vms = (traced.vms & ~(1u << vm)) | (unsigned)argument << vm;
        return 0;
    case GATE_CONTROL_RESET:
    case GATE_CONTROL_POWER_OFF:
        if (vms[vm].state == GATE_VM_ENDED)
            return GATE_ESTATE;
        vms[vm].resets += what == GATE_CONTROL_RESET;
        vms[vm].presses += what == GATE_CONTROL_POWER_OFF;
        return 0;
    default:
        fail_msg("call %d", what);
        return 0;
    }
}

char *gate_text(void)
{
    return text_page;
}

uint64_t gate_tsc(void)
{
    return 1000;
}

int64_t gate_timer(uint64_t tsc)
{
    timer = tsc;
    return 0;
}

void gate_notify(unsigned channel)
{
}

void gate_interrupts_done(uint64_t interrupts)
{
}

static struct trace_ring *ring_of(unsigned n)
{
    return (void *)(rings + n * PROCESS_TRACE_STRIDE);
}

static void begin(void)
{
    static const struct process_info info = {
        .tsc_khz = 1000,
        .interrupt_count = 1,
        .ports = {{BASE, 8}},
        .channel_count = 2,
        .trace_rings = RINGS,
        .channels = {{.kind = PLAN_CHANNEL_CONSOLE, .label = "9"},
                     {.kind = PLAN_CHANNEL_CONSOLE, .label = "1"}}};

    memset(&port, 0, sizeof(port));
    memset(vms, 0, sizeof(vms));
    memset(&ring, 0, sizeof(ring));
    acts = 0;
    timer = 0;
    memset(channel_pages, 0, sizeof(channel_pages));
    memset(&traced, 0, sizeof(traced));
    for (unsigned i = 0; i < RINGS; i++)
        memset(ring_of(i), 0, sizeof(*ring_of(i)));
    assert_true(control_start(&info, &ring, ring_of(0)));
    watch_open(&info, channel_pages);
    channel_open(&console, channel_pages + PROCESS_CHANNEL_STRIDE, 1, true);
}

static void type(const void *bytes, size_t count)
{
    memcpy(port.typed + port.typed_count, bytes, count);
    port.typed_count += count;
}

/* All that was typed is read, and all is sent. */
static void settle(void)
{
    for (unsigned i = 0; i < 200; i++)
        control_work(EVENT_INTERRUPT(0));
    assert_int_equal(port.typed_at, port.typed_count);
    port.typed_at = port.typed_count = 0;
}

static struct control_request request(enum control_call call, uint8_t vm, uint64_t argument)
{
    static uint8_t tag;
    struct control_request r = {CONTROL_REQUEST, (uint8_t)call, vm, ++tag, 0, argument};

    control_seal(&r);
    return r;
}

/* What is answered to a request; its answer is all that comes. */
static struct control_answer ask(enum control_call call, uint8_t vm, uint64_t argument)
{
    struct control_request r = request(call, vm, argument);
    struct control_answer a = {0};
    size_t size;

    port.sent_count = 0;
    type(&r, sizeof(r));
    settle();
    assert_int_equal(control_frame(port.sent, port.sent_count, CONTROL_ANSWER, &size),
                     CONTROL_FRAME_WHOLE);
    assert_int_equal(size, port.sent_count);
    memcpy(&a, port.sent, size);
    assert_int_equal(a.call, call);
    assert_int_equal(a.vm, vm);
    assert_int_equal(a.tag, r.tag);
    assert_int_equal(a.size, size - CONTROL_HEAD);
    return a;
}

static void expect(enum control_call call, uint8_t vm, enum control_error error)
{
    assert_int_equal(ask(call, vm, 0).error, error);
}

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
                vms[0].state = (enum gate_vm_state)before;
            int after = rows[i].after[before];
            bool resets = after != SAME && (rows[i].call == CONTROL_CALL_RESET ||
                                            rows[i].call == CONTROL_CALL_START);
            expect(rows[i].call, 0, after == SAME ? CONTROL_STATE : CONTROL_OK);
            assert_int_equal(state_of(0), after == SAME ? before : after);
            assert_int_equal(vms[0].resets, resets);
            assert_int_equal(vms[0].presses,
                             after != SAME && rows[i].call == CONTROL_CALL_POWER_OFF);
            assert_int_equal(state_of(1), CONTROL_VM_RUNS);
            expect(rows[i].call, 2, CONTROL_NO_VM);
        }
}

/* The console's side: takes what came, an ASK as '?', and says something. */
static const char *console_hears(const char *says)
{
    static char heard[CHANNEL_ENTRIES * CONSOLE_BYTES + 1];
    struct console_entry entry;
    size_t length = 0;

    while (channel_get(&console, &entry)) {
        memcpy(heard + length, entry.bytes, entry.length);
        length += entry.length;
        if (entry.what == CONSOLE_ASK)
            heard[length++] = '?';
    }
    heard[length] = '\0';
    for (size_t n; *says != '\0'; says += n) {
        n = min_u64(strlen(says), CONSOLE_BYTES);
        entry = (struct console_entry){.length = (uint16_t)n};
        memcpy(entry.bytes, says, n);
        assert_true(channel_put(&console, &entry));
    }
    return heard;
}

/* What VM 1 wrote from there on; *at becomes where it goes on. */
static const char *see(uint32_t *at, uint32_t *typed)
{
    static char seen[CONTROL_DATA];
    struct control_answer a = ask(CONTROL_CALL_CONSOLE, 1, *at);
    struct control_console is;

    assert_int_equal(a.error, CONTROL_OK);
    assert_true(a.size >= sizeof(is));
    memcpy(&is, a.data, sizeof(is));
    memcpy(seen, a.data + sizeof(is), a.size - sizeof(is));
    seen[a.size - sizeof(is)] = '\0';
    *at = is.at + (uint32_t)(a.size - sizeof(is));
    *typed = is.typed;
    return seen;
}

static void consoles_are_seen(void **state)
{
    static char much[CONSOLE_KEPT - 400];
    uint32_t first = 0, second = 0, lost, typed;

    begin();
    assert_string_equal(see(&first, &typed), "");
    assert_string_equal(console_hears("hello"), "?");
    assert_string_equal(see(&first, &typed), "hello");
    lost = second; /* an answer that is lost is asked for again */
    assert_string_equal(see(&lost, &typed), "hello");
    assert_string_equal(see(&second, &typed), "hello");
    assert_string_equal(see(&second, &typed), "");
    /* More than is kept: from there on. Longer than an answer: in several. */
    memset(much, 'm', sizeof(much) - 1);
    for (int i = 0; i < 2; i++) {
        console_hears(much);
        see(&second, &typed);
    }
    uint32_t total = 5 + 2 * (sizeof(much) - 1), at = first;
    size_t length = strlen(see(&at, &typed));
    assert_int_equal(at - length, total - CONSOLE_KEPT);
    assert_int_equal(length, CONTROL_DATA - sizeof(struct control_console));
    while (at != total)
        assert_in_range(strlen(see(&at, &typed)), 1, CONTROL_DATA);
    at = total + 1; /* nothing was there yet */
    see(&at, &typed);
    assert_int_equal(at, total - CONSOLE_KEPT + length);
    expect(CONTROL_CALL_CONSOLE, 0, CONTROL_NO_VM); /* it has none */
    expect(CONTROL_CALL_CONSOLE, 255, CONTROL_NO_VM);
}

static enum control_error type_for(uint8_t vm, const char *text, size_t count, uint8_t number)
{
    uint64_t bytes = 0;

    memcpy(&bytes, text, min_u64(strlen(text), CONTROL_TYPED_MAX));
    return (enum control_error)ask(CONTROL_CALL_TYPE, vm, CONTROL_TYPED(bytes, count, number))
        .error;
}

static void consoles_are_typed_at(void **state)
{
    uint32_t at = 0, typed;

    begin();
    assert_int_equal(type_for(1, "ls -l\r", 6, 1), CONTROL_OK);
    assert_int_equal(type_for(1, "ls -l\r", 6, 1), CONTROL_OK); /* the answer was lost */
    assert_int_equal(type_for(1, "x", 1, 2), CONTROL_OK);
    assert_string_equal(console_hears(""), "ls -l\rx");
    see(&at, &typed);
    assert_int_equal(typed, 2);
    assert_int_equal(type_for(1, "much", 7, 3), CONTROL_NO_VM);
    assert_int_equal(type_for(0, "x", 1, 3), CONTROL_NO_VM);
    console_hears("");
    for (unsigned i = 0; i < CHANNEL_ENTRIES; i++)
        assert_int_equal(type_for(1, "z", 1, (uint8_t)(3 + i)), CONTROL_OK);
    assert_int_equal(type_for(1, "y", 1, 200), CONTROL_STATE);
    assert_int_equal(strlen(console_hears("")), CHANNEL_ENTRIES);
    assert_int_equal(type_for(1, "y", 1, 200), CONTROL_OK);
    assert_string_equal(console_hears(""), "y");
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
    assert_true(poked == (0x1234 | CONTROL_BYTE(0x56)));
    assert_int_equal(ask(CONTROL_CALL_SET, 0, 7 | CONTROL_INDEX(3)).error, CONTROL_OK);
    assert_true(set_state.gpr[1] == 7ULL << 32);
    struct control_answer a = ask(CONTROL_CALL_MSR, 0, 0xc0000080);
    assert_int_equal(a.size, sizeof(value));
    memcpy(&value, a.data, sizeof(value));
    assert_int_equal(value, 0xc0000080);
    assert_int_equal(ask(CONTROL_CALL_DEBUG, 0, GATE_DEBUG_LOOK).size, sizeof(struct gate_stopped));
    assert_int_equal(ask(CONTROL_CALL_PATCH, 0, FULL | CONTROL_BYTE(1)).size, 1);
    assert_true(poked == (FULL | CONTROL_BYTE(0xcc)));
    for (unsigned call = CONTROL_CALL_DEBUG; call < CONTROL_CALL_COUNT; call++)
        assert_int_equal(ask(call, 2, CONTROL_BYTE(1)).error, CONTROL_NO_VM);
}

static void put_record(const char *text)
{
    struct log_record is = {.length = (uint16_t)strlen(text), .vm = LOG_NO_VM};
    uint8_t bytes[sizeof(is) + LOG_LINE_MAX];

    memcpy(bytes, &is, sizeof(is));
    memcpy(bytes + sizeof(is), text, is.length);
    for (size_t i = 0; i < sizeof(is) + is.length; i++)
        ring.bytes[(ring.tail + i) % LOG_RING_SIZE] = bytes[i];
    ring.tail = align_up(ring.tail + sizeof(is) + is.length, LOG_ALIGN);
}

/* Page by page, over the ring's end; a place that is none, or is written over, is the end. */
static void the_log_is_read(void **state)
{
    struct control_log log = {0};
    unsigned pages = 0;

    begin();
    ring.tail = log.next = 3 * LOG_RING_SIZE - 400;
    for (unsigned i = 0; i < 40; i++)
        put_record("a line of the hypervisor's");
    for (; log.next < ring.tail; pages++) {
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
        assert_int_equal(log.next, ring.tail);
        assert_int_equal(a.size, sizeof(log));
    }
}

static void vms_and_processes_are_traced(void **state)
{
    begin();
    assert_int_equal(ask(CONTROL_CALL_TRACE, 1, CONTROL_TRACE_ON).error, CONTROL_OK);
    assert_int_equal(ask(CONTROL_CALL_TRACE, 2, CONTROL_TRACE_ON | CONTROL_TRACE_PROCESS).error,
                     CONTROL_OK);
    assert_int_equal(traced.vms, 2);
    assert_int_equal(traced.processes, 4);
    assert_int_equal(ask(CONTROL_CALL_TRACE, 1, 0).error, CONTROL_OK);
    assert_int_equal(ask(CONTROL_CALL_TRACE, 2, CONTROL_TRACE_PROCESS).error, CONTROL_OK);
    assert_int_equal(traced.vms | traced.processes, 0);
    assert_int_equal(ask(CONTROL_CALL_TRACE, 2, CONTROL_TRACE_ON).error, CONTROL_NO_VM);
    assert_int_equal(
        ask(CONTROL_CALL_TRACE, PROCESSES, CONTROL_TRACE_ON | CONTROL_TRACE_PROCESS).error,
        CONTROL_NO_VM);
}

/* Of the n-th record, for ever: no two are alike. */
static struct trace_record record_of(uint64_t n)
{
    return (struct trace_record){
        .tsc = n * 1001, .value = n ^ 0xffff800000000000, .what = TRACE_WHO(n % 3, 1) | n % 7};
}

static void write_records(struct trace_ring *r, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        struct trace_record record = record_of(n);
        memcpy(&r->bytes[n * sizeof(record) % TRACE_SIZE], &record, sizeof(record));
    }
    r->tail = to * sizeof(struct trace_record);
}

/* What an answer has, from position `at` on. Returns where to ask for the next. */
static uint64_t read_records(uint8_t number, uint64_t asked, uint64_t at)
{
    struct control_answer a = ask(CONTROL_CALL_RECORDS, number, asked);
    struct trace_pack frame = {.count = 0};
    struct control_records is;
    size_t used = sizeof(is);

    memcpy(&is, a.data, sizeof(is));
    assert_int_equal(a.error, CONTROL_OK);
    assert_int_equal(is.at, at);
    assert_int_equal(is.tail, ring_of(number)->tail);
    for (; at < is.next; at += sizeof(struct trace_record)) {
        struct trace_record record, wanted = record_of(at / sizeof(record));
        size_t size = trace_unpack(&frame, a.data + used, a.size - used, &record);
        assert_int_not_equal(size, 0);
        assert_memory_equal(&record, &wanted, sizeof(record));
        used += size;
    }
    assert_int_equal(used, a.size);
    return is.next;
}

/* All comes once and in its order; of a ring that was written over, what is left of it but for the
 * place of the next one; and from a place that is none nothing. */
static void records_of_the_trace_are_read(void **state)
{
    const uint64_t all = TRACE_SIZE / sizeof(struct trace_record), more = 5 * all / 2;
    const uint64_t oldest = (more - all + 1) * sizeof(struct trace_record);
    uint64_t at = 0;
    unsigned answers = 0;

    begin();
    write_records(ring_of(1), 0, 500);
    for (; at < ring_of(1)->tail; answers++)
        at = read_records(1, at, at);
    assert_in_range(answers, 5, 16); /* of the 500 that one has not room for as they are */
    write_records(ring_of(0), 0, more);
    assert_true(read_records(0, 0, oldest) > oldest);
    assert_true(read_records(0, oldest + 32, oldest + 32) > oldest);
    static const uint64_t strange[] = {1, UINT64_MAX, 1ULL << 63};
    for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
        assert_int_equal(read_records(0, strange[i], ring_of(0)->tail), ring_of(0)->tail);
    expect(CONTROL_CALL_RECORDS, RINGS, CONTROL_NO_VM);
    expect(CONTROL_CALL_RECORDS, 255, CONTROL_NO_VM);
}

/* Any bytes, cut anywhere: nothing behind them is read. */
static void damaged_records_are_judged(void **state)
{
    srand(3);
    for (unsigned round = 0; round < 20000; round++) {
        struct trace_pack frame = {.count = 0};
        struct trace_record record;
        size_t count = 1 + (size_t)rand() % 100, used = 0, size;
        uint8_t *bytes = malloc(count); /* of its own: a sanitizer sees what is read */
        for (size_t i = 0; i < count; i++)
            bytes[i] = rand() % 2 ? (uint8_t)rand() : 0;
        while ((size = trace_unpack(&frame, bytes + used, count - used, &record)) != 0)
            used += size;
        assert_in_range(used, 0, count);
        free(bytes);
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
        port.sent_count = 0;
        type(noise, count);
        settle();
        assert_int_equal(port.sent_count, 0);
        assert_int_equal(acts, 0);
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
    port.babbles = true;
    port.accesses = 0;
    control_work(EVENT_INTERRUPT(0));
    assert_in_range(port.accesses, 1, 2000);
    assert_true(timer > gate_tsc());
    port.babbles = false;
    port.absent = true;
    assert_false(control_start(&info, &ring, ring_of(0)));
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
    assert_int_equal(control_frame(port.sent, port.sent_count, CONTROL_ANSWER, &size),
                     CONTROL_FRAME_WHOLE);
    assert_int_equal(size, port.sent_count);
    expect(CONTROL_CALL_LOOK, 1, CONTROL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_there_is),
        cmocka_unit_test(processes_are_looked_at),
        cmocka_unit_test(each_call_has_its_states),
        cmocka_unit_test(memory_is_read),
        cmocka_unit_test(consoles_are_seen),
        cmocka_unit_test(consoles_are_typed_at),
        cmocka_unit_test(a_debugger_is_passed_on),
        cmocka_unit_test(the_log_is_read),
        cmocka_unit_test(noise_does_nothing),
        cmocka_unit_test(an_answers_frame_is_judged),
        cmocka_unit_test(vms_and_processes_are_traced),
        cmocka_unit_test(records_of_the_trace_are_read),
        cmocka_unit_test(damaged_records_are_judged),
        cmocka_unit_test(a_port_that_is_out_of_order),
        cmocka_unit_test(one_request_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
