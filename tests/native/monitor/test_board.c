/* SPDX-License-Identifier: BSD-2-Clause */
/* The board: which port and address leads where, and how devices are wired to interrupts, console
 * and time. */
#include <stdlib.h>
#include <string.h>

#include "tests/native/monitor/fakes.h"

#define COM1      0x3f8
#define HZ        1000000000ULL
#define EDGE_COM1 0x24
#define EDGE_RTC  0x28

static struct board *b;

static void program_pin(unsigned pin, uint8_t vector)
{
    board_store(b, 0, 0xfec00000, 4, 0x10 + 2 * pin);
    board_store(b, 0, 0xfec00010, 4, vector);
}

static int setup(void **state)
{
    b = fake_board(64 << 20);
    program_pin(4, EDGE_COM1);
    program_pin(8, EDGE_RTC);
    return 0;
}

static int teardown(void **state)
{
    fake_board_free(b);
    return 0;
}

static void unclaimed(void **state)
{
    static const uint16_t ports[] = {0x20, 0x21, 0x40,  0x43,  0x61,  0x80,
                                     0xa1, 0xb2, 0x2f8, 0x3c0, 0x400, 0xffff};

    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        board_out(b, 0, ports[i], 1, 0);
        assert_int_equal(board_in(b, 0, ports[i], 1), 0xff);
    }
    assert_int_equal(board_in(b, 0, 0x8000, 2), 0xffff);
    assert_int_equal(board_in(b, 0, 0x8000, 4), 0xffffffff);
    assert_int_equal(board_in(b, 0, 0xffff, 4), 0xffffff00 | 0xff);
    assert_int_equal(board_load(b, 0, 0xd0000000, 8), UINT64_MAX);
    assert_int_equal(board_load(b, 0, 0xd0000003, 2), 0xffff);
    assert_int_equal(board_load(b, 0, UINT64_MAX, 1), 0xff);
    board_store(b, 0, 0xd0000000, 8, 0);
}

/* An access wider than the device is split into bytes, each to its own register. */
static void split(void **state)
{
    board_out(b, 0, COM1 + 7, 1, 0x5a);
    assert_int_equal(board_in(b, 0, COM1 + 6, 2), 0x5abb & 0xfff0);
    board_out(b, 0, COM1 + 6, 2, 0xa500);
    assert_int_equal(board_in(b, 0, COM1 + 7, 1), 0xa5);
    assert_int_equal(board_in(b, 0, COM1 + 7, 2), 0xffa5); /* half beyond the device */
    board_out(b, 0, 0x70, 2, 0x7733);                      /* index, then data */
    assert_int_equal(board_in(b, 0, 0x71, 1), 0x77);
    assert_int_equal(board_in(b, 0, 0x70, 1), 0x33);
}

static void pm_sizes(void **state)
{
    uint32_t ticks = board_in(b, 0, 0xb008, 4);

    assert_int_equal(ticks, 3579545);
    assert_int_equal(board_in(b, 0, 0xb009, 1) & 0xff, ticks >> 8 & 0xff);
    assert_int_equal(board_in(b, 0, 0xb00a, 2) & 0xffff, ticks >> 16);
    assert_int_equal(board_in(b, 0, 0xb004, 2) & 0xffff, 1);
    board_out(b, 0, 0xb003, 1, 0xff);
    assert_int_equal(board_in(b, 0, 0xb002, 2) & 0xffff, 0x0700);
    assert_int_equal(board_in(b, 0, 0xb00c, 4), 0xffffffff);
    board_out(b, 0, 0xb005, 1, 0x20); /* power-off by a byte */
    assert_true(b->pm.power_off);
}

/* R20. Another vCPU's index does not count, what is not there answers all ones. */
static void pci(void **state)
{
    board_out(b, 0, 0xcf8, 4, 0x80000000);
    assert_int_equal(board_in(b, 0, 0xcf8, 4), 0x80000000);
    board_out(b, 0, 0xcfb, 1, 1); /* not the address register */
    assert_int_equal(board_in(b, 0, 0xcf8, 4), 0x80000000);
    assert_int_equal(board_in(b, 1, 0xcf8, 4), 0);
    for (uint32_t bdf = 1; bdf < 0x10000; bdf++) {
        board_out(b, 0, 0xcf8, 4, 0x80000000 | bdf << 8);
        assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
        assert_int_equal(board_in(b, 0, 0xcfe, 2) & 0xffff, 0xffff);
    }
    board_out(b, 0, 0xcfc, 4, 0);
}

static uint32_t bridge(unsigned offset, unsigned size)
{
    board_out(b, 0, 0xcf8, 4, 0x80000000 | (offset & ~3u));
    return board_in(b, 0, (uint16_t)(0xcfc + (offset & 3)), size) & UINT32_MAX >> (32 - 8 * size);
}

/* R20. A header, in any size; writes are dropped, beyond the header there is nothing. */
static void host_bridge_header(void **state)
{
    assert_int_equal(bridge(0x00, 4), 0x12378086);
    assert_int_equal(bridge(0x02, 2), 0x1237);
    assert_int_equal(bridge(0x0a, 2), 0x0600);
    assert_int_equal(bridge(0x0b, 1), 0x06);
    assert_int_equal(bridge(0x0e, 1), 0);
    for (unsigned offset = 0x0c; offset < 0x100; offset += 4)
        assert_int_equal(bridge(offset, 4), 0);
    for (unsigned offset = 0; offset < 0x100; offset += 4) {
        uint32_t before = bridge(offset, 4);

        board_out(b, 0, 0xcfc, 4, ~before);
        assert_int_equal(bridge(offset, 4), before);
    }
    board_out(b, 0, 0xcf8, 4, 0); /* not enabled */
    assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
}

static struct {
    unsigned reads, writes, offset;
    uint32_t at, size, value;
    unsigned bar;
} seen;

static void function_reads(void *device, unsigned offset)
{
    seen.reads++;
    seen.offset = offset;
}

static void function_written(void *device, unsigned offset)
{
    seen.writes++;
    seen.offset = offset;
}

static uint32_t function_load(void *device, unsigned bar, uint32_t offset, unsigned size)
{
    return 0x11111111 * (bar + 1) + offset;
}

static void function_store(void *device, unsigned bar, uint32_t offset, unsigned size,
                           uint32_t value)
{
    seen.bar = bar;
    seen.at = offset;
    seen.size = size;
    seen.value = value;
}

static const struct pci_operations function_operations = {function_reads, function_written,
                                                          function_load, function_store};

static uint32_t config(unsigned offset, unsigned size)
{
    board_out(b, 0, 0xcf8, 4, 0x80000800 | (offset & ~3u));
    return board_in(b, 0, (uint16_t)(0xcfc + (offset & 3)), size) & UINT32_MAX >> (32 - 8 * size);
}

static void set_config(unsigned offset, unsigned size, uint32_t value)
{
    board_out(b, 0, 0xcf8, 4, 0x80000800 | (offset & ~3u));
    board_out(b, 0, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

static struct pci_function *add_function(void)
{
    static struct pci_function function;

    function = (struct pci_function){.operations = &function_operations};
    pci_set(&function, PCI_ID, 4, 0x12345678);
    pci_set_bar(&function, 0, true, 16);
    pci_set_bar(&function, 1, false, 0x2000);
    assert_true(pci_add(&b->pci, &function));
    memset(&seen, 0, sizeof(seen));
    return &function;
}

/* Only the bits that a function lets be written change; it hears of each access. */
static void pci_function(void **state)
{
    struct pci_function *f = add_function();

    pci_set_writable(f, 0x40, 4, 0x00ff00f0);
    assert_int_equal(config(0, 4), 0x12345678);
    assert_int_equal(config(2, 2), 0x1234);
    assert_int_equal(seen.reads, 2);
    assert_int_equal(seen.offset, 2);
    set_config(0, 4, 0);
    assert_int_equal(config(0, 4), 0x12345678);
    set_config(0x40, 4, UINT32_MAX);
    assert_int_equal(config(0x40, 4), 0x00ff00f0);
    set_config(0x42, 1, 0x0a);
    assert_int_equal(seen.writes, 3);
    assert_int_equal(seen.offset, 0x42);
    assert_int_equal(config(0x40, 4), 0x000a00f0);
    board_out(b, 0, 0xcf8, 4, 0x80000900); /* its function 1 */
    assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
    board_out(b, 0, 0xcf8, 4, 0x80010800); /* on bus 1 */
    assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
    board_out(b, 0, 0xcf8, 4, 0x00000800); /* not enabled */
    assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
}

/* "Base Addresses": their size is found by writing ones; they answer where they are, if the command
 * says so, and within the bridge's windows. */
static void pci_bars(void **state)
{
    add_function();
    assert_int_equal(config(0x10, 4), 0xc001);
    assert_int_equal(config(0x14, 4), 0xe0000000);
    assert_int_equal(config(0x04, 2), 3);
    assert_int_equal(board_in(b, 0, 0xc004, 2), 0x1115);
    assert_int_equal(board_load(b, 0, 0xe0001000, 4), 0x22223222);
    assert_int_equal(board_load(b, 0, 0xe0001002, 2), 0x3224);
    for (unsigned size = 1; size <= 8; size++)
        assert_int_equal(board_load(b, 0, 0xe0002000, size), UINT64_MAX >> (64 - 8 * size));
    set_config(0x10, 4, UINT32_MAX);
    set_config(0x14, 4, UINT32_MAX);
    set_config(0x18, 4, UINT32_MAX);
    assert_int_equal(config(0x10, 4), 0xfffffff1);
    assert_int_equal(config(0x14, 4), 0xffffe000);
    assert_int_equal(config(0x18, 4), 0);
    assert_int_equal(board_in(b, 0, 0xc004, 1), 0xff);
    set_config(0x10, 4, 0xcff0);
    set_config(0x14, 4, 0xefffe000);
    assert_int_equal(board_in(b, 0, 0xcfff, 1), 0x20);
    assert_int_equal(board_load(b, 0, 0xeffffffc, 4), 0x2222421e);
    set_config(0x04, 2, 1);
    assert_int_equal(board_in(b, 0, 0xcfff, 1), 0x20);
    assert_int_equal(board_load(b, 0, 0xeffffffc, 4), 0xffffffff);
    set_config(0x04, 2, 2);
    assert_int_equal(board_in(b, 0, 0xcfff, 1), 0xff);
    set_config(0x14, 4, 0xd0000000); /* not in the window */
    assert_int_equal(board_load(b, 0, 0xd0000000, 4), 0xffffffff);
    set_config(0x10, 4, 0x3f0); /* the UART stays where it is */
    set_config(0x04, 2, 3);
    board_out(b, 0, COM1 + 7, 1, 0x5a);
    assert_int_equal(board_in(b, 0, COM1 + 7, 1), 0x5a);
}

/* An access reaches the function as it was made when it is natural, and otherwise by bytes. */
static void pci_accesses(void **state)
{
    add_function();
    for (unsigned size = 1; size <= 4; size *= 2) {
        board_store(b, 0, 0xe0000008, size, 0x44332211);
        assert_int_equal(seen.bar, 1);
        assert_int_equal(seen.at, 8);
        assert_int_equal(seen.size, size);
        assert_int_equal(seen.value, 0x44332211 & UINT32_MAX >> (32 - 8 * size));
        board_out(b, 0, 0xc004, size, 0x55);
        assert_int_equal(seen.bar, 0);
        assert_int_equal(seen.at, 4);
        assert_int_equal(seen.size, size);
    }
    board_store(b, 0, 0xe0000010, 8, 0x8877665544332211);
    assert_int_equal(seen.at, 0x14);
    assert_int_equal(seen.size, 4);
    assert_int_equal(seen.value, 0x88776655);
    board_store(b, 0, 0xe0000011, 4, 0x44332211);
    assert_int_equal(seen.at, 0x14);
    assert_int_equal(seen.size, 1);
    assert_int_equal(seen.value, 0x44);
    assert_int_equal(board_load(b, 0, 0xe0000011, 2), 0x3433);
    assert_int_equal(board_load(b, 0, 0xe0000001, 8), 0x2a29282726252423);
}

/* The bus has a place for 16, at addresses of their own. */
static void pci_full(void **state)
{
    static struct pci_function functions[20];

    for (unsigned i = 0; i < 20; i++) {
        functions[i] = (struct pci_function){.operations = &function_operations};
        pci_set_bar(&functions[i], 0, true, i % 2 ? 16 : 64);
        pci_set_bar(&functions[i], 1, false, i % 2 ? 0x2000 : 0x8000);
        assert_int_equal(pci_add(&b->pci, &functions[i]), i < 15);
    }
    for (unsigned i = 0; i < 15; i++)
        for (unsigned other = 0; other < i; other++)
            for (unsigned bar = 0; bar < 2; bar++)
                assert_int_not_equal(pci_get(&functions[i], 0x10 + 4 * bar, 4),
                                     pci_get(&functions[other], 0x10 + 4 * bar, 4));
}

static void reset_ports(void **state)
{
    assert_int_equal(board_in(b, 0, 0x64, 1) & 3, 0); /* nothing to drain, nothing in the way */
    board_out(b, 0, 0x64, 1, 0xff);
    board_out(b, 0, 0x64, 1, 0xd1);
    board_out(b, 0, 0x60, 1, 0xdf);
    board_out(b, 0, 0x92, 1, 0x02);
    assert_int_equal(board_in(b, 0, 0x92, 1), 0x02);
    board_out(b, 0, 0xcf9, 1, 0x02);
    assert_int_equal(board_in(b, 0, 0xcf9, 1), 0x02);
    assert_false(b->reset.requested);
    board_out(b, 0, 0xcf9, 1, 0x06);
    assert_true(b->reset.requested);
    b->reset = (struct reset){0};
    board_out(b, 0, 0x64, 1, 0xfe);
    assert_true(b->reset.requested);
    board_reset(b);
    assert_false(b->reset.requested);
    board_out(b, 0, 0x92, 1, 0x03);
    assert_true(b->reset.requested);
    board_reset(b);
    board_events(b, EVENT_INIT);
    assert_true(b->reset.requested);
}

/* The RTC's line is its own interrupt, and an event of the PM block's. */
static void rtc_event(void **state)
{
    board_out(b, 0, 0x70, 2, 0x520b); /* periodic */
    fakes.tsc += HZ / 1000;
    board_events(b, EVENT_TIMER);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(board_in(b, 0, 0xb000, 2) & 0xffff, 0x0400);
}

/* What no local APIC took is sent again when one may. */
static void try_again(void **state)
{
    fakes.message_result = 0;
    board_out(b, 0, COM1 + 4, 1, 0x08);
    board_out(b, 0, COM1 + 1, 1, 0x02);
    assert_int_equal(fakes.messages, 1);
    fakes.message_result = 1;
    board_events(b, EVENT_APIC);
    assert_int_equal(fakes.messages, 2);
    board_events(b, EVENT_APIC);
    assert_int_equal(fakes.messages, 2);
}

static void console_output(void **state)
{
    static const char text[] = "ready\n";

    board_out(b, 0, COM1 + 4, 1, 0x08);
    board_out(b, 0, COM1 + 2, 1, 0x01);
    for (const char *c = text; *c != '\0'; c++)
        board_out(b, 0, COM1, 1, (uint8_t)*c);
    fake_console_take_all(b);
    assert_int_equal(fakes.output_size, strlen(text));
    assert_memory_equal(fakes.output, text, strlen(text));
    assert_int_equal(fakes.messages, 0);
    board_out(b, 0, COM1 + 1, 1, 0x02);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(fakes.message_data[0], 0x4000 | EDGE_COM1);
}

/* With a console that is slow nothing is lost and nothing is said to be sent. */
static void console_full(void **state)
{
    size_t written = 0;

    board_out(b, 0, COM1 + 4, 1, 0x08);
    board_out(b, 0, COM1 + 2, 1, 0x01);
    board_out(b, 0, COM1 + 1, 1, 0x02);
    assert_int_equal(board_in(b, 0, COM1 + 2, 1), 0xc2);
    for (; board_in(b, 0, COM1 + 5, 1) & 0x20; written++)
        board_out(b, 0, COM1, 1, (uint8_t)('0' + written % 10));
    assert_int_equal(written, 1 + CONSOLE_GATHERED + 1);
    for (; written % 10 != 0; written++)
        board_out(b, 0, COM1, 1, (uint8_t)('0' + written % 10));
    assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 0x60, 0);
    board_in(b, 0, COM1 + 2, 1);
    fakes.messages = 0;
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(fakes.messages, 0);
    fake_console_take(b, 1);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 0x60, 0x60);
    fake_console_take_all(b);
    assert_int_equal(fakes.output_size, written);
    for (size_t i = 0; i < written; i++)
        assert_int_equal(fakes.output[i], '0' + i % 10);
}

static size_t taken;

/* They come in their order. */
static void take_some(void)
{
    fakes.output_size = 0;
    fake_console_take(b, CHANNEL_ENTRIES / 4);
    for (size_t i = 0; i < fakes.output_size; i++)
        assert_int_equal(fakes.output[i], '0' + taken++ % 10);
}

/* A guest that never looks whether there is room waits for it, and loses nothing. */
static void console_waits(void **state)
{
    uint64_t begin = fakes.tsc;

    taken = 0;
    fakes.spin = take_some;
    for (size_t i = 0; i < 0x4000; i++)
        board_out(b, 0, COM1, 1, (uint8_t)('0' + i % 10));
    assert_in_range(fakes.tsc - begin, 1, HZ);
    while (channel_used(&b->console.channel) > 0)
        take_some();
    assert_int_equal(taken, 0x4000);
}

/* A console that takes nothing holds it up once, and not for ever; one that has died does not. */
static void console_stands(void **state)
{
    struct process_info *process = calloc(1, sizeof(*process));
    uint64_t begin = fakes.tsc;

    for (size_t i = 0; i < 0x2000; i++)
        board_out(b, 0, COM1, 1, 'x');
    assert_in_range(fakes.tsc - begin, 10 * HZ, 10 * HZ + HZ / 100);
    fake_console_take_all(b);
    assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 0x60, 0x60);
    board_out(b, 0, COM1, 1, 'y');
    fake_console_take_all(b);
    assert_int_equal(fakes.output[fakes.output_size - 1], 'y');

    *process = *fakes.process;
    fake_board_free(b);
    fakes_reset();
    fakes.process = process;
    b = fake_board_with(64 << 20, NULL);
    for (size_t i = 0; board_in(b, 0, COM1 + 5, 1) & 0x20; i++)
        board_out(b, 0, COM1, 1, 'x');
    process->channels[0].ended = 1;
    board_events(b, EVENT_CHANNEL(0));
    begin = fakes.tsc;
    for (size_t i = 0; i < 0x2000; i++) {
        assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 0x60, 0x60);
        board_out(b, 0, COM1, 1, 'x');
    }
    assert_int_equal(fakes.tsc, begin);
    fakes.process = NULL;
    free(process);
}

/* More input than the FIFO holds arrives as a whole, from one event. */
static void console_input(void **state)
{
    static const char text[] = "a line that is longer than the sixteen bytes of the FIFO\n";
    char got[sizeof(text)] = "";
    size_t count = 0;

    board_out(b, 0, COM1 + 4, 1, 0x08);
    board_out(b, 0, COM1 + 2, 1, 0x81);
    board_out(b, 0, COM1 + 1, 1, 0x01);
    fake_console_type(text, CONSOLE_TEXT);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(b->uart.receive.count, 16);
    while (board_in(b, 0, COM1 + 5, 1) & 1 && count < sizeof(got))
        got[count++] = (char)board_in(b, 0, COM1, 1);
    assert_int_equal(count, strlen(text));
    assert_memory_equal(got, text, count);
    fake_console_type("x", CONSOLE_TEXT);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(board_in(b, 0, COM1, 1), 'x');
}

/* Input that comes while the loopback is on waits for its end. */
static void console_input_waits(void **state)
{
    board_out(b, 0, COM1 + 4, 1, 0x10);
    fake_console_type("x", CONSOLE_TEXT);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(b->uart.receive.count, 0);
    board_out(b, 0, COM1 + 4, 1, 0x08);
    assert_int_equal(board_in(b, 0, COM1 + 5, 1) & 1, 1);
    assert_int_equal(board_in(b, 0, COM1, 1), 'x');
}

static void rtc_timer(void **state)
{
    board_out(b, 0, 0x70, 1, 0x0b);
    board_out(b, 0, 0x71, 1, 0x12);
    assert_int_equal(fakes.timer, 2 * HZ);
    fakes.messages = 0;
    fakes.tsc = 2 * HZ;
    board_events(b, EVENT_TIMER);
    assert_int_equal(fakes.messages, 1);
    assert_int_equal(fakes.message_data[0], 0x4000 | EDGE_RTC);
    board_out(b, 0, 0x70, 1, 0x0c);
    assert_int_equal(board_in(b, 0, 0x71, 1) & 0x90, 0x90);
    assert_int_equal(fakes.timer, 3 * HZ);
    board_out(b, 0, 0x70, 1, 0x0b);
    board_out(b, 0, 0x71, 1, 0x02);
    assert_int_equal(fakes.timer, UINT64_MAX);
    fakes.timer_calls = 0; /* what changes nothing makes no call */
    board_in(b, 0, 0x71, 1);
    assert_int_equal(fakes.timer_calls, 0);
}

static void device_memory(void **state)
{
    fakes.lapic[1][0x80 / 4] = 0x12345678;
    assert_int_equal(board_load(b, 1, 0xfee00080, 4), 0x12345678);
    assert_int_equal(board_load(b, 1, 0xfee00081, 1), 0x56);
    assert_int_equal(board_load(b, 1, 0xfee00080, 8), 0xffffffff12345678);
    assert_int_equal(board_load(b, 1, 0xfee00082, 8), 0xffffffffffff1234);
    board_store(b, 1, 0xfee000b0, 4, 7);
    assert_int_equal(fakes.lapic[1][0xb0 / 4], 7);
    board_store(b, 1, 0xfee000b0, 1, 9); /* only whole registers */
    board_store(b, 1, 0xfee000b2, 4, 9);
    assert_int_equal(fakes.lapic[1][0xb0 / 4], 7);
    board_store(b, 1, 0xfec00000, 4, 1);
    assert_int_equal(board_load(b, 1, 0xfec00010, 4), 0x00170020);
    assert_int_equal(board_load(b, 1, 0xfec00012, 1), 0x17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unclaimed, setup, teardown),
        cmocka_unit_test_setup_teardown(split, setup, teardown),
        cmocka_unit_test_setup_teardown(pm_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(pci, setup, teardown),
        cmocka_unit_test_setup_teardown(host_bridge_header, setup, teardown),
        cmocka_unit_test_setup_teardown(pci_function, setup, teardown),
        cmocka_unit_test_setup_teardown(pci_bars, setup, teardown),
        cmocka_unit_test_setup_teardown(pci_accesses, setup, teardown),
        cmocka_unit_test_setup_teardown(pci_full, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_ports, setup, teardown),
        cmocka_unit_test_setup_teardown(rtc_event, setup, teardown),
        cmocka_unit_test_setup_teardown(try_again, setup, teardown),
        cmocka_unit_test_setup_teardown(console_output, setup, teardown),
        cmocka_unit_test_setup_teardown(console_full, setup, teardown),
        cmocka_unit_test_setup_teardown(console_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(console_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(console_input, setup, teardown),
        cmocka_unit_test_setup_teardown(console_input_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(rtc_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(device_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
