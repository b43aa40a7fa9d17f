/* SPDX-License-Identifier: BSD-2-Clause */
/* The control process's machine: see control_machine.h. */
#include "control_machine.h"

#include <string.h>

#include "lib/bits.h"
#include "lib/control_frame.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "runtime/log.h"
#include "services/control/control.h"
#include "services/control/watch.h"

enum { DATA, IER, IIR, LSR = 5, SCRATCH = 7 };

struct machine machine;

const struct gate_process processes[PROCESSES] = {
    {"console", 7, 100}, {"control", 7, 200}, {"net", 7, 300}};
static char text_page[PROCESS_TEXT_SIZE] __attribute__((aligned(8)));
static uint8_t rings[RINGS * PROCESS_TRACE_STRIDE]; /* of the trace */
static uint8_t channel_pages[PROCESS_CHANNEL_STRIDE * 2] __attribute__((aligned(4096)));

uint8_t inb(uint16_t number)
{
    bool more = machine.port.babbles || machine.port.typed_at < machine.port.typed_count;

    machine.port.accesses++;
    if (machine.port.absent)
        return 0xff;
    switch (number - BASE) {
    case DATA:
        return machine.port.babbles ? CONTROL_REQUEST : machine.port.typed[machine.port.typed_at++];
    case IIR:
        return more ? 0xc4 : 0xc1;
    case LSR:
        return (uint8_t)(0x60 | more);
    case SCRATCH:
        return machine.port.scratch;
    default:
        fail_msg("port %x is read", number);
        return 0;
    }
}

void outb(uint16_t number, uint8_t value)
{
    static bool latch;

    machine.port.accesses++;
    if (number == BASE + SCRATCH)
        machine.port.scratch = value;
    if (number == BASE + 3)
        latch = value & 0x80;
    if (number == BASE + DATA && !latch) {
        assert_in_range(machine.port.sent_count, 0, sizeof(machine.port.sent) - 1);
        machine.port.sent[machine.port.sent_count++] = value;
    }
}

/* Of a VM's state; it is there. */
static int64_t change_state(unsigned vm, enum gate_control what)
{
    switch (what) {
    case GATE_CONTROL_PAUSE:
        if (machine.vms[vm].state != GATE_VM_RUNS)
            return GATE_ESTATE;
        machine.vms[vm].state = GATE_VM_PAUSED;
        return 0;
    case GATE_CONTROL_RESUME:
        if (machine.vms[vm].state != GATE_VM_PAUSED)
            return GATE_ESTATE;
        machine.vms[vm].state = GATE_VM_RUNS;
        return 0;
    case GATE_CONTROL_RESET:
    case GATE_CONTROL_POWER_OFF:
        if (machine.vms[vm].state == GATE_VM_ENDED)
            return GATE_ESTATE;
        machine.vms[vm].resets += what == GATE_CONTROL_RESET;
        machine.vms[vm].presses += what == GATE_CONTROL_POWER_OFF;
        return 0;
    default:
        fail_msg("call %d", what);
        return 0;
    }
}

static void look(unsigned vm)
{
    struct gate_vm is = {.name = {(char)('a' + vm)},
                         .state = machine.vms[vm].state,
                         .memory = MEMORY,
                         .vcpus = 1,
                         .tsc = 7,
                         .used = {.time = 3, .msr_reads = 4},
                         .exits = {[10] = 5}};

    memcpy(text_page, &is, sizeof(is));
}

static int64_t read_registers(unsigned vcpu)
{
    if (vcpu > 1)
        return GATE_EINVAL;
    if (vcpu == 1)
        return GATE_ESTATE;
    memset(text_page, 0, sizeof(text_page));
    ((struct guest_state *)(void *)text_page)->rip = 0xffffffff80000000;
    return 0;
}

static int64_t read_memory(uint64_t at)
{
    if (at >= MEMORY)
        return GATE_EINVAL;
    memset(text_page, 0, sizeof(text_page));
    if (align_down(at, PAGE_SIZE) == FULL)
        text_page[CONTROL_DATA + 9] = 'x';
    return 0;
}

static int64_t control_process(unsigned number, enum gate_control what, uint64_t argument)
{
    if (number >= PROCESSES)
        return GATE_EINVAL;
    if (what == GATE_CONTROL_PROCESS) {
        memcpy(text_page, &processes[number], sizeof(processes[number]));
        return 0;
    }
    machine.acts++;
    machine.traced.processes = (machine.traced.processes & ~(1u << number)) | (unsigned)argument
                                                                                  << number;
    return 0;
}

static bool changes_nothing(enum gate_control what)
{
    return what == GATE_CONTROL_LOOK || what == GATE_CONTROL_REGISTERS ||
           what == GATE_CONTROL_MEMORY;
}

int64_t gate_control(unsigned vm, enum gate_control what, uint64_t argument)
{
    if (what == GATE_CONTROL_PROCESS || what == GATE_CONTROL_TRACE_PROCESS)
        return control_process(vm, what, argument);
    if (vm >= VMS - 1)
        return GATE_EINVAL;
    machine.acts += !changes_nothing(what);
    switch (what) {
    case GATE_CONTROL_LOOK:
        look(vm);
        return 0;
    case GATE_CONTROL_REGISTERS:
        return read_registers(GATE_CONTROL_VCPU(argument));
    case GATE_CONTROL_MEMORY:
        return read_memory(argument);
    case GATE_CONTROL_POKE:
        machine.poked_before = machine.poked;
        machine.poked = argument;
        return 0;
    case GATE_CONTROL_SET:
        memcpy(&machine.set_state, text_page, sizeof(machine.set_state));
        return 0;
    case GATE_CONTROL_MSR:
        memcpy(text_page, &argument, sizeof(argument));
        return 0;
    case GATE_CONTROL_DEBUG:
        memset(text_page, 0, sizeof(text_page));
        ((struct gate_stopped *)(void *)text_page)->why = GATE_STOPPED_NOT;
        return 0;
    case GATE_CONTROL_TRACE:
        machine.traced.vms = (machine.traced.vms & ~(1u << vm)) | (unsigned)argument << vm;
        return 0;
    default:
        return change_state(vm, what);
    }
}

char *gate_text(void)
{
    return text_page;
}

uint64_t gate_tsc(void)
{
    return machine.tsc;
}

void log_line(const char *fmt, ...)
{
    machine.lines++;
}

_Noreturn void log_stop(enum gate_stop why, const char *fmt, ...)
{
    longjmp(machine.end, 1);
}

int64_t gate_timer(uint64_t tsc)
{
    machine.timer = tsc;
    return 0;
}

void gate_notify(unsigned channel)
{
}

void gate_interrupts_done(uint64_t interrupts)
{
}

struct trace_ring *ring_of(unsigned n)
{
    return (void *)(rings + n * PROCESS_TRACE_STRIDE);
}

static void begin_with(const char *arguments)
{
    struct process_info info = {.tsc_khz = 1000,
                                .interrupt_count = 1,
                                .ports = {{BASE, 8}},
                                .channel_count = 2,
                                .trace_rings = RINGS,
                                .channels = {{.kind = PLAN_CHANNEL_CONSOLE, .label = "9"},
                                             {.kind = PLAN_CHANNEL_CONSOLE, .label = "1"}}};

    strcpy(info.arguments, arguments);
    memset(&machine, 0, sizeof(machine));
    machine.tsc = 1000;
    memset(channel_pages, 0, sizeof(channel_pages));
    for (unsigned i = 0; i < RINGS; i++)
        memset(ring_of(i), 0, sizeof(*ring_of(i)));
    assert_true(control_start(&info, &machine.log, ring_of(0)));
    watch_open(&info, channel_pages);
    channel_open(&machine.console, channel_pages + PROCESS_CHANNEL_STRIDE, 1, true);
}

void begin(void)
{
    begin_with("");
}

void begin_awaited(void)
{
    begin_with("hold");
}

void type(const void *bytes, size_t count)
{
    memcpy(machine.port.typed + machine.port.typed_count, bytes, count);
    machine.port.typed_count += count;
}

void settle(void)
{
    for (unsigned i = 0; i < 200; i++)
        control_work(EVENT_INTERRUPT(0));
    assert_int_equal(machine.port.typed_at, machine.port.typed_count);
    machine.port.typed_at = machine.port.typed_count = 0;
}

struct control_request request(enum control_call call, uint8_t vm, uint64_t argument)
{
    static uint8_t tag;
    struct control_request r = {CONTROL_REQUEST, (uint8_t)call, vm, ++tag, 0, argument};

    control_seal(&r);
    return r;
}

struct control_answer ask(enum control_call call, uint8_t vm, uint64_t argument)
{
    struct control_request r = request(call, vm, argument);
    struct control_answer a = {0};
    size_t size;

    machine.port.sent_count = 0;
    type(&r, sizeof(r));
    settle();
    assert_int_equal(
        control_frame(machine.port.sent, machine.port.sent_count, CONTROL_ANSWER, &size),
        CONTROL_FRAME_WHOLE);
    assert_int_equal(size, machine.port.sent_count);
    memcpy(&a, machine.port.sent, size);
    assert_int_equal(a.call, call);
    assert_int_equal(a.vm, vm);
    assert_int_equal(a.tag, r.tag);
    assert_int_equal(a.size, size - CONTROL_HEAD);
    return a;
}

void expect(enum control_call call, uint8_t vm, enum control_error error)
{
    assert_int_equal(ask(call, vm, 0).error, error);
}
