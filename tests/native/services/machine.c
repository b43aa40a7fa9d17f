/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/services/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/process.h"
#include "lib/bits.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "services/console/console.h"

#define BASE      0x3f8
#define FIFO      16
#define BYTE_TIME 86806 /* of the TSC, at 115200 baud */

enum { DATA, IER, IIR, LSR = 5 };

struct machine machine;
unsigned machine_silence;

static struct {
    unsigned fifo;        /* bytes that wait to be sent */
    bool empty_interrupt; /* the FIFO has run empty, and nobody has read so */
    uint8_t ier;
    char received[FIFO];
    unsigned received_count;
    uint64_t next_byte; /* when the line has sent one, and received one */
    bool line;          /* of its interrupt */
} port;

static struct process_info info;
static uint8_t *channels, *log_pages;
static char text_page[PROCESS_TEXT_SIZE];
static bool interrupt_exists;

/* The port. */

static bool asks(void)
{
    return machine.babbles || (port.ier & 1 && port.received_count > 0) ||
           (port.ier & 2 && port.empty_interrupt);
}

/* Edge-triggered, as ISA interrupts are. */
static void update_line(void)
{
    bool line = port.ier != 0 && asks();

    if (line && !port.line && interrupt_exists && !machine.no_interrupts)
        machine.events |= EVENT_INTERRUPT(0);
    port.line = line;
}

uint8_t inb(uint16_t number)
{
    uint8_t value = 0;

    machine.accesses++;
    if (machine.absent)
        return 0xff;
    switch (number - BASE) {
    case DATA:
        assert_true(machine.babbles || port.received_count > 0);
        value = machine.babbles ? 'x' : (uint8_t)port.received[0];
        if (port.received_count > 0)
            memmove(port.received, port.received + 1, --port.received_count);
        break;
    case IIR:
        value = asks() ? 0xc4 : 0xc1;
        if (!(port.ier & 1 && port.received_count > 0))
            port.empty_interrupt = false;
        break;
    case LSR:
        value = (uint8_t)((machine.babbles || port.received_count > 0) | (port.fifo == 0) * 0x60);
        break;
    default:
        fail_msg("port %x is read", number);
    }
    update_line();
    return value;
}

void outb(uint16_t number, uint8_t value)
{
    machine.accesses++;
    if (machine.absent)
        return;
    if (number == BASE + DATA) {
        assert_in_range(port.fifo, 0, FIFO - 1);
        assert_in_range(machine.length, 0, sizeof(machine.sent) - 2);
        port.fifo++;
        port.empty_interrupt = false;
        machine.sent[machine.length++] = (char)value;
    } else {
        assert_int_equal(number, BASE + IER);
        if (value & ~port.ier & 2 && port.fifo == 0)
            port.empty_interrupt = true;
        port.ier = value;
    }
    update_line();
}

static void pass_byte(void)
{
    if (port.fifo > 0 && !machine.stands && --port.fifo == 0)
        port.empty_interrupt = true;
    if (machine.typed != NULL && *machine.typed != '\0' && port.received_count < FIFO)
        port.received[port.received_count++] = *machine.typed++;
    update_line();
}

/* The gate. */

void gate_notify(unsigned channel)
{
    assert_in_range(channel, 0, MACHINE_VMS);
    machine.notified[channel]++;
}

void gate_interrupts_done(uint64_t interrupts)
{
    assert_in_range(interrupts, 0, 1);
    machine.interrupts_done += (unsigned)interrupts;
}

int64_t gate_timer(uint64_t tsc)
{
    machine.timer = tsc;
    return 0;
}

int64_t gate_log(size_t length)
{
    fail_msg("the console logs");
    return 0;
}

_Noreturn void gate_stop(enum gate_stop why);
static jmp_buf stopping;

_Noreturn void gate_stop(enum gate_stop why)
{
    assert_int_equal(why, GATE_STOP_POWER_OFF);
    longjmp(stopping, 1);
}

char *gate_text(void)
{
    return text_page;
}

uint64_t gate_tsc(void)
{
    return machine.tsc += machine.call_ticks;
}

/* The machine. */

static void *pages(void *old, size_t size)
{
    if (old != NULL)
        munmap(old, size);
    void *new = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(new != MAP_FAILED);
    return new;
}

static void work(uint64_t events)
{
    machine.works++;
    if (setjmp(stopping) == 0)
        console_work(events);
    else
        machine.stopped = true;
}

static void wake(void)
{
    if (machine.tsc >= machine.timer) {
        machine.timer = UINT64_MAX;
        machine.events |= EVENT_TIMER;
    }
    while (machine.events != 0 && !machine.stopped) {
        uint64_t events = machine.events;
        machine.events = 0;
        work(events);
    }
}

void machine_restart_console(void)
{
    machine.timer = UINT64_MAX;
    info.starts++;
    console_start(&info, channels, log_pages);
    work(0);
    wake();
}

void machine_begin(bool lines, bool interrupts)
{
    memset(&machine, 0, sizeof(machine));
    memset(&port, 0, sizeof(port));
    interrupt_exists = interrupts;
    channels = pages(channels, (MACHINE_VMS + 1) * PROCESS_CHANNEL_STRIDE);
    log_pages = pages(log_pages, LOG_READER_SIZE + sizeof(struct log_ring));
    info = (struct process_info){.tsc_khz = 1000000,
                                 .interrupt_count = interrupts,
                                 .channel_count = MACHINE_VMS + 1,
                                 .ports = {{BASE, 8}}};
    strcpy(info.arguments, lines ? "console=lines" : "console=focus");
    for (unsigned i = 0; i < MACHINE_VMS; i++) {
        struct process_channel *c = &info.channels[i];
        *c = (struct process_channel){.kind = PLAN_CHANNEL_CONSOLE,
                                      .server = 1,
                                      .peer_index = i + 2,
                                      .read_only = machine_silence >> i & 1};
        snprintf(c->peer, sizeof(c->peer), "vm%u", i);
        channel_open(&machine.vm[i], channels + i * PROCESS_CHANNEL_STRIDE, i, false);
    }
    info.channels[MACHINE_VMS] = (struct process_channel){
        .kind = PLAN_CHANNEL_CONSOLE, .server = 1, .peer_index = PLAN_PROCESS | 1};
    info.channels[MACHINE_VMS].label[0] = '0' + MACHINE_WATCHED + 2;
    channel_open(&machine.watcher, channels + MACHINE_VMS * PROCESS_CHANNEL_STRIDE, MACHINE_VMS,
                 false);
    machine_restart_console();
    machine_run_ms(5);
    memset(machine.notified, 0, sizeof(machine.notified));
    machine.works = machine.accesses = 0;
}

void machine_run_ms(unsigned ms)
{
    uint64_t end = machine.tsc + ms * 1000000ULL;

    while (machine.tsc < end && !machine.stopped) {
        machine.tsc = min_u64(end, min_u64(port.next_byte, machine.timer));
        if (machine.tsc >= port.next_byte) {
            pass_byte();
            port.next_byte = machine.tsc + BYTE_TIME;
        }
        wake();
    }
}

void machine_settle(void)
{
    size_t before;

    do {
        before = machine.length;
        machine_run_ms(2 * CONSOLE_PAUSE_MS);
    } while (machine.length != before);
}

/* The VMs. */

static void notify_console(unsigned vm)
{
    unsigned before = machine.notified[vm];

    channel_flush(&machine.vm[vm]);
    if (machine.notified[vm] != before)
        machine.events |= EVENT_CHANNEL(vm);
    machine.notified[vm] = before;
}

static size_t put(unsigned vm, const char *text, size_t length)
{
    size_t said = 0;

    while (said < length) {
        struct console_entry entry = {.length =
                                          (uint16_t)min_u64(length - said, sizeof(entry.bytes))};
        memcpy(entry.bytes, text + said, entry.length);
        if (!channel_put(&machine.vm[vm], &entry))
            break;
        said += entry.length;
    }
    notify_console(vm);
    return said;
}

size_t machine_say(unsigned vm, const char *text)
{
    size_t said = put(vm, text, strlen(text));

    wake();
    return said;
}

size_t machine_flood(unsigned vm)
{
    static char text[4800];

    memset(text, 'f', sizeof(text));
    for (unsigned i = 79; i < sizeof(text); i += 80)
        text[i] = '\n';
    size_t said = put(vm, text, sizeof(text));

    wake();
    return said;
}

const char *machine_input(unsigned vm)
{
    static char all[0x4000];
    size_t length = 0;
    struct console_entry entry;

    while (channel_get(&machine.vm[vm], &entry)) {
        assert_in_range(entry.length, 0, CONSOLE_BYTES);
        if (entry.what == CONSOLE_ASK)
            all[length++] = '?';
        memcpy(all + length, entry.bytes, entry.length);
        length += entry.length;
    }
    notify_console(vm);
    all[length] = '\0';
    return all;
}

/* Who watches. */

bool machine_watcher_puts(const struct console_entry *entry)
{
    unsigned before = machine.notified[MACHINE_VMS];
    bool put = channel_put(&machine.watcher, entry);

    channel_flush(&machine.watcher);
    if (machine.notified[MACHINE_VMS] != before)
        machine.events |= EVENT_CHANNEL(MACHINE_VMS);
    machine.notified[MACHINE_VMS] = before;
    wake();
    return put;
}

const char *machine_watch(const char *typed)
{
    static char all[CHANNEL_ENTRIES * CONSOLE_BYTES + 1];
    struct console_entry entry = {.length = (uint16_t)strlen(typed)};
    size_t length = 0;

    memcpy(entry.bytes, typed, entry.length);
    assert_true(machine_watcher_puts(&entry));
    assert_true(machine_watcher_puts(&(struct console_entry){.what = CONSOLE_ASK}));
    while (channel_get(&machine.watcher, &entry)) {
        assert_int_equal(entry.what, CONSOLE_TEXT);
        assert_in_range(entry.length, 1, CONSOLE_BYTES);
        memcpy(all + length, entry.bytes, entry.length);
        length += entry.length;
    }
    all[length] = '\0';
    return all;
}

/* Ring 0's log. */

void machine_log(enum log_kind kind, uint8_t vm, const char *text)
{
    struct log_ring *ring = (void *)(log_pages + LOG_READER_SIZE);
    struct log_record is = {(uint16_t)strlen(text), (uint8_t)kind, vm};
    uint8_t record[sizeof(is) + LOG_LINE_MAX] = {0};
    size_t size = align_up(sizeof(is) + is.length, LOG_ALIGN);

    memcpy(record, &is, sizeof(is));
    memcpy(record + sizeof(is), text, is.length);
    assert_in_range(ring->tail + size - ((struct log_reader *)log_pages)->head, 0, LOG_RING_SIZE);
    for (size_t i = 0; i < size; i++)
        ring->bytes[(ring->tail + i) % LOG_RING_SIZE] = record[i];
    ring->tail += size;
    if (!((struct log_reader *)log_pages)->looks)
        machine.events |= EVENT_LOG;
}

void machine_end_vm(unsigned vm)
{
    info.channels[vm].ended = 1;
}

uint64_t machine_asked(void)
{
    return ((struct log_reader *)log_pages)->asked;
}

unsigned machine_count(const char *text)
{
    unsigned count = 0;

    machine.sent[machine.length] = '\0';
    for (const char *at = machine.sent; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

void begin(bool lines)
{
    machine_begin(lines, true);
}

void type(const char *keys)
{
    machine.typed = keys;
    machine_run_ms((unsigned)strlen(keys) / 10 + 2);
    assert_int_equal(*machine.typed, '\0');
    machine_settle();
}

void say(unsigned vm, const char *text)
{
    assert_int_equal(machine_say(vm, text), strlen(text));
    machine_settle();
}
