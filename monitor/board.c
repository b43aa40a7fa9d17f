/* SPDX-License-Identifier: BSD-2-Clause */
/* The board: ports.def turned into look-ups, and each device's wires. R20, R41. */
#include "monitor/board.h"

#include "monitor/cpuid_table.h"
#include "monitor/gate.h"
#include "monitor/host_bridge.h"
#include "monitor/processor.h"
#include "monitor/report.h"

/* The UART: its output goes to the console, its input comes from there. */

/* How long a guest waits that writes to the transmitter while it is full: longer than the console
 * takes for what it has. */
#define TRANSMIT_SECONDS 10u

/* The IOAPIC's inputs that have a device. */
#define DRIVEN_LINES (1u << COM1_IRQ | 1u << RTC_IRQ | 1u << PM_SCI)

static void wire_uart(struct board *b)
{
    ioapic_set_line(&b->ioapic, COM1_IRQ, uart_interrupt(&b->uart));
}

/* What has no room stays in the UART until there is some: nothing is lost. */
static void send_output(struct board *b)
{
    char bytes[UART_FIFO_SIZE];
    size_t count = uart_output(&b->uart, bytes);

    count = console_put(&b->console, bytes, count);
    uart_sent(&b->uart, count);
    b->console_stands &= count == 0;
}

/* Kernels that never look at the line status lose no byte, as on a line without end; but they do
 * not wait for a console that takes nothing. */
__attribute__((cold, noinline)) static void wait_for_transmitter(struct board *b)
{
    uint64_t end = gate_tsc() + b->process->tsc_khz * 1000 * TRANSMIT_SECONDS;

    while (b->uart.transmit.count == UART_FIFO_SIZE && !b->console_stands) {
        gate_spin(gate_tsc() + b->process->tsc_khz);
        b->console_stands = gate_tsc() >= end;
        send_output(b);
    }
}

/* What has no room in the UART waits until the guest has read. */
static void receive_input(struct board *b)
{
    char bytes[UART_FIFO_SIZE];
    size_t room = uart_room(&b->uart);
    size_t count = console_get(&b->console, bytes, room);

    uart_receive(&b->uart, bytes, count);
    b->console_waiting = count == room;
}

/* After an access of the guest: it may have made room. */
static void receive_rest(struct board *b)
{
    if (b->console_waiting && b->uart.receive.count == 0)
        receive_input(b);
}

static uint32_t uart_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    uint8_t value = uart_read(&b->uart, port - COM1_PORT);

    receive_rest(b);
    wire_uart(b);
    return value;
}

static void uart_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    if (uart_loses(&b->uart, port - COM1_PORT))
        wait_for_transmitter(b);
    uart_write(&b->uart, port - COM1_PORT, (uint8_t)value);
    if (b->uart.transmit.count > 0)
        send_output(b);
    receive_rest(b);
    wire_uart(b);
}

/* The devices with a sense of time. */

static void wire_clocks(struct board *b)
{
    uint64_t now = gate_tsc(), deadline;
    bool rtc = rtc_interrupt(&b->rtc, now);

    ioapic_set_line(&b->ioapic, RTC_IRQ, rtc);
    pm_set_rtc(&b->pm, rtc);
    ioapic_set_line(&b->ioapic, PM_SCI, pm_interrupt(&b->pm, now));
    deadline = min_u64(rtc_deadline(&b->rtc), pm_deadline(&b->pm));
    if (deadline == b->timer)
        return;
    b->timer = deadline;
    gate_timer(deadline);
}

static uint32_t rtc_index_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    return rtc_read_index(&b->rtc, vcpu);
}

static void rtc_index_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size,
                          uint32_t value)
{
    rtc_write_index(&b->rtc, vcpu, (uint8_t)value);
}

static uint32_t rtc_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    uint8_t value = rtc_read(&b->rtc, vcpu, gate_tsc());

    wire_clocks(b);
    return value;
}

static void rtc_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    rtc_write(&b->rtc, vcpu, (uint8_t)value, gate_tsc());
    wire_clocks(b);
}

static uint32_t pm_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    unsigned offset = port - PM_PORT;

    return pm_read(&b->pm, offset & ~3u, gate_tsc()) >> (offset & 3) * 8;
}

static void pm_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    unsigned offset = port - PM_PORT, shift = (offset & 3) * 8;
    uint32_t mask = UINT32_MAX >> (4 - size) * 8 << shift;

    pm_write(&b->pm, offset & ~3u, value << shift, mask, gate_tsc());
    b->wish = true;
    wire_clocks(b);
}

static void press_power(struct board *b)
{
    report("who controls the VM presses its power button%s",
           pm_press_power(&b->pm) ? "" : ": the guest does not look at it");
    wire_clocks(b);
}

/* The ways to a reset. */

static uint32_t reset_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    return reset_read(&b->reset);
}

static void reset_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    reset_write(&b->reset, (uint8_t)value);
    b->wish = true;
}

static uint32_t i8042_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    return i8042_read(&b->i8042, port);
}

static void i8042_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    i8042_write(&b->i8042, port, (uint8_t)value);
    b->reset.requested |= b->i8042.reset;
    b->wish = true;
}

static uint32_t verdict_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    return verdict_read(port);
}

static void verdict_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size,
                        uint32_t value)
{
    verdict_write(&b->verdict, port, value);
    b->wish = true;
}

static uint32_t fuzz_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    return fuzz_read(&b->fuzz, port);
}

static void fuzz_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    fuzz_write(&b->fuzz, port, value);
}

static uint32_t pci_address_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    return pci_read_address(&b->pci, vcpu);
}

static void pci_address_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size,
                            uint32_t value)
{
    pci_write_address(&b->pci, vcpu, value);
}

static uint32_t pci_data_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    return pci_read_data(&b->pci, vcpu, port, size);
}

static void pci_data_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size,
                         uint32_t value)
{
    pci_write_data(&b->pci, vcpu, port, size, value);
}

static uint32_t pci_io_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    return (uint32_t)pci_load(&b->pci, true, port, size);
}

static void pci_io_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    pci_store(&b->pci, true, port, size, value);
}

struct port_range {
    uint16_t first, last;
    uint8_t sizes;
    uint32_t (*in)(struct board *b, unsigned vcpu, uint16_t port, unsigned size);
    void (*out)(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value);
};

static uint32_t nobody_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    return UINT8_MAX;
}

static void nobody_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
}

static const struct port_range ranges[] = {
    {0, 0, 1, nobody_in, nobody_out}, /* the ports of no row */
#define PORTS(first, last, sizes, device) {first, last, sizes, device##_in, device##_out},
#include "monitor/ports.def"
#undef PORTS
};

/* For each port the index of its range: one load on the way of every IN and OUT. */
static uint8_t range_of_port[0x10000];

static void map_ports(void)
{
    for (unsigned i = 1; i < ARRAY_SIZE(ranges); i++)
        for (unsigned port = ranges[i].first; port <= ranges[i].last; port++)
            range_of_port[port] = (uint8_t)i;
}

static bool takes(const struct port_range *r, uint16_t port, unsigned size)
{
    return r->sizes & size && (port & (size - 1)) == 0;
}

__attribute__((cold, noinline)) static uint32_t in_by_bytes(struct board *b, unsigned vcpu,
                                                            uint16_t port, unsigned size)
{
    uint32_t value = 0;

    if (size == 1)
        return UINT8_MAX;
    for (unsigned i = 0; i < size; i++)
        value |= (board_in(b, vcpu, (uint16_t)(port + i), 1) & 0xff) << i * 8;
    return value;
}

uint32_t board_in(struct board *b, unsigned vcpu, uint16_t port, unsigned size)
{
    const struct port_range *r = &ranges[range_of_port[port]];

    return takes(r, port, size) ? r->in(b, vcpu, port, size) : in_by_bytes(b, vcpu, port, size);
}

__attribute__((cold, noinline)) static void
out_by_bytes(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    for (unsigned i = 0; size > 1 && i < size; i++)
        board_out(b, vcpu, (uint16_t)(port + i), 1, value >> i * 8 & 0xff);
}

void board_out(struct board *b, unsigned vcpu, uint16_t port, unsigned size, uint32_t value)
{
    const struct port_range *r = &ranges[range_of_port[port]];

    if (takes(r, port, size))
        r->out(b, vcpu, port, size, value);
    else
        out_by_bytes(b, vcpu, port, size, value);
}

void board_kicks(struct board *b, uint64_t kicks)
{
    for (; kicks != 0; kicks &= kicks - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(kicks), number = bit / VIRTIO_BITS;

        /* But for the bridge all functions are virtio's. */
        if (number > 0 && number < b->pci.count)
            virtio_kick(b->pci.functions[number]->device, bit % VIRTIO_BITS);
    }
}

static void channel_events(struct board *b, uint64_t events)
{
    if (console_events(&b->console, events)) {
        if (b->uart.transmit.count > 0)
            send_output(b);
        if (b->console.virtio)
            virtio_console_event(&b->virtio_console);
        else
            receive_input(b);
        wire_uart(b);
    }
    for (unsigned i = 0; i < b->disk_count; i++)
        if (events & EVENT_CHANNEL(b->disks[i].disk.channel.number))
            blk_event(&b->disks[i]);
    for (unsigned i = 0; i < b->net_count; i++)
        if (events & EVENT_CHANNEL(b->nets[i].end.channel.number))
            net_device_event(&b->nets[i]);
}

void board_events(struct board *b, uint64_t events)
{
    if (events & EVENT_RESTORED) {
        console_restored(&b->console);
        events |= EVENT_CHANNEL(b->console.channel.number);
    }
    if (events & EVENT_TIMER) {
        b->timer = UINT64_MAX;
        wire_clocks(b);
    }
    if (events >= EVENT_CHANNEL(0))
        channel_events(b, events);
    if (events & EVENT_APIC)
        ioapic_try_again(&b->ioapic);
    if (events & EVENT_POWER_BUTTON)
        press_power(b);
    /* The processor that booted goes to the firmware, which starts the machine again. */
    if (events & EVENT_INIT)
        b->reset.requested = b->wish = true;
}

/* How long a machine that starts waits for its disks' drivers, which start beside it. */
#define DISK_SECONDS 10u

static void open_channels(struct board *b)
{
    const struct process_info *p = b->process;

    for (unsigned n = 0; n < p->channel_count; n++) {
        const struct process_channel *c = &p->channels[n];

        if (c->kind == PLAN_CHANNEL_BLOCK && !c->server && b->disk_count < BOARD_DISKS)
            disk_open(&b->disks[b->disk_count++].disk, c, n, gate_channel(n), &b->memory);
        if (c->kind == PLAN_CHANNEL_NET && !c->server && b->net_count < BOARD_NETS)
            net_device_open(&b->nets[b->net_count++], c, n, gate_channel(n));
    }
}

static void wait_for_disks(struct board *b)
{
    uint64_t end = gate_tsc() + b->process->tsc_khz * 1000 * DISK_SECONDS;

    for (unsigned i = 0; i < b->disk_count; i++)
        if (!disk_wait(&b->disks[i].disk, end))
            report("there is no disk \"%s\": its driver %s has none, or does not run",
                   b->disks[i].disk.info->label, b->disks[i].disk.info->peer);
}

/* What is there at each start of the machine, and where. */
static void fill_bus(struct board *b)
{
    pci_reset(&b->pci);
    host_bridge_init(&b->host_bridge);
    pci_add(&b->pci, &b->host_bridge);
    for (unsigned i = 0; i < b->disk_count; i++)
        blk_init(&b->disks[i], &b->pci);
    for (unsigned i = 0; i < b->net_count; i++)
        net_device_init(&b->nets[i], &b->pci, &b->memory);
    rng_init(&b->rng, &b->pci, &b->memory);
    virtio_console_init(&b->virtio_console, &b->console, &b->pci, &b->memory);
}

static void fill_cpuid(const struct board *b)
{
    const struct monitor_info *info = b->info;
    const struct cpuid_config config = {
        .tsc_khz = (uint32_t)b->process->tsc_khz,
        .tsc_exact = info->tsc_exact,
        .vcpus = info->vcpus,
        .xcr0 = info->xcr0,
        .xss = info->xss,
        .rdtscp = info->rdtscp,
        .invpcid = info->invpcid,
        .pks = info->pks,
    };

    cpuid_build(gate_cpuid(), processor_cpuid, &config);
}

void board_init(struct board *b, const struct monitor_info *info, uint8_t *memory)
{
    const struct process_info *process = gate_process();
    uint64_t seconds = rtc_seconds(info->rtc);

    b->info = info;
    b->process = process;
    b->timer = UINT64_MAX;
    b->memory = guest_memory_make(memory, info->memory);
    processor_page_tables(&b->memory);
    fill_cpuid(b);
    code_page_reset(&b->code_page);
    rtc_init(&b->rtc, process->tsc_khz * 1000, seconds, info->rtc_tsc);
    kvmclock_init(&b->kvmclock, process->tsc_khz, seconds, info->rtc_tsc);
    map_ports();
    console_open(&b->console, process);
    report_behind(&b->console);
    open_channels(b);
    wait_for_disks(b);
}

void board_reset(struct board *b)
{
    uart_reset(&b->uart);
    ioapic_reset(&b->ioapic, DRIVEN_LINES);
    rtc_reset(&b->rtc);
    pm_reset(&b->pm, b->process->tsc_khz * 1000, gate_tsc());
    b->reset = (struct reset){0};
    b->verdict = (struct verdict){0};
    fuzz_reset(&b->fuzz, &b->memory);
    b->wish = b->restart = b->halt_told = false;
    i8042_reset(&b->i8042);
    fill_bus(b);
    wire_uart(b);
    wire_clocks(b);
}
