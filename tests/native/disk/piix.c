/* SPDX-License-Identifier: BSD-2-Clause */
#include "piix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"
#include "runtime/io.h"

#define TASK    0x1f0
#define CONTROL 0x3f6
#define BUS     0xc000

#define READY 0x50
#define BUSY  0x80
#define DRQ   0x08
#define ERROR 0x01
#define FAULT 0x20

#define DEVICE_1 0x10 /* in the device register */
#define RESET_MS 50

struct piix piix;

static uint8_t task[8], task_before[8]; /* what was written, and before that */
static uint8_t status, bus_command, bus_status, control;
static uint32_t bus_table;
static uint64_t busy_from; /* a command's BSY is seen some 400 ns later */
static uint64_t reset_until;
static unsigned words_left;
static uint16_t identity[256];
static bool transfer; /* a DMA command waits for the bus master */

void piix_new(void)
{
    memset(&piix, 0, sizeof(piix));
    piix.sectors = PIIX_MEDIUM;
    piix.lba48 = piix.flush_ext = true;
    piix.bad_sector = UINT64_MAX;
    for (unsigned i = 0; i < sizeof(piix.data); i++)
        piix.data[i] = (uint8_t)(i / 512 * 5 + i * 3);
    status = READY;
    bus_command = control = 0;
    bus_status = 0x60;
    task[6] = DEVICE_1; /* what the firmware asked for last, to find that it is not there */
    transfer = false;
    words_left = 0;
    busy_from = reset_until = 0;
    process.ports[0] = (struct process_ports){TASK, 8};
    process.ports[1] = (struct process_ports){CONTROL, 1};
    process.ports[2] = (struct process_ports){BUS, 16};
}

static void interrupt(void)
{
    bus_status |= 0x04;
    if (!piix.no_interrupt && !(control & 0x02))
        machine_raise(EVENT_INTERRUPT(0));
}

static void end(uint8_t flags)
{
    status = READY | flags;
    transfer = false;
    interrupt();
}

static void make_identity(void)
{
    static const char model[40] = "Simulated PIIX disk                     ";

    memset(identity, 0, sizeof(identity));
    for (unsigned i = 0; i < 20; i++)
        identity[27 + i] = (uint16_t)((uint8_t)model[2 * i + 1] | (uint8_t)model[2 * i] << 8);
    identity[49] = piix.no_dma ? 0x0200 : 0x0300;
    identity[60] = (uint16_t)piix.sectors;
    identity[61] = (uint16_t)((piix.sectors >= 1 << 28 ? (1 << 28) - 1 : piix.sectors) >> 16);
    identity[83] = (uint16_t)(0x5000 | piix.lba48 << 10 | piix.flush_ext << 13);
    for (unsigned i = 0; i < 4 && piix.lba48; i++)
        identity[100 + i] = (uint16_t)(piix.sectors >> 16 * i);
    identity[106] = piix.large_sectors ? 0x5000 : 0;
}

static void find_range(bool ext)
{
    uint64_t high = ext ? (uint64_t)task_before[3] << 24 | (uint64_t)task_before[4] << 32 |
                              (uint64_t)task_before[5] << 40
                        : (uint64_t)(task[6] & 0xf) << 24;

    assert_int_equal(task[6] & 0xf0, 0xe0); /* LBA, the first disk */
    piix.sector = high | task[3] | (uint64_t)task[4] << 8 | (uint64_t)task[5] << 16;
    piix.count = task[2] | (ext ? (uint32_t)task_before[2] << 8 : 0);
    if (piix.count == 0)
        piix.count = ext ? 65536 : 256;
    assert_true(piix.sector < piix.sectors && piix.count <= piix.sectors - piix.sector);
}

static void start_command(uint8_t command)
{
    assert_false(status & (BUSY | DRQ));
    piix.command = command;
    piix.commands++;
    status = READY | BUSY;
    busy_from = now + 1;
    switch (command) {
    case 0xec:
        make_identity();
        words_left = piix.packet ? 0 : 256;
        end(piix.packet ? ERROR : DRQ);
        break;
    case 0x25:
    case 0x35:
        assert_true(piix.lba48);
        find_range(true);
        transfer = true;
        break;
    case 0xc8:
    case 0xca:
        find_range(false);
        transfer = true;
        break;
    case 0xea:
        assert_true(piix.flush_ext);
        break;
    case 0xe7:
        break;
    default:
        fail_msg("command %xh", command);
    }
}

/* Moves all that the table says, which is what the disk wants. */
static void move(bool to_memory)
{
    const uint8_t *table = machine_memory(bus_table, 8);
    uint32_t left = piix.count * 512, address, words;
    uint64_t at = piix.sector * 512;

    assert_int_equal(bus_table % 4, 0);
    for (piix.pieces = 0;; piix.pieces++) {
        assert_int_equal((bus_table + 8 * piix.pieces) / 0x10000, bus_table / 0x10000);
        memcpy(&address, table + 8 * piix.pieces, 4);
        memcpy(&words, table + 8 * piix.pieces + 4, 4);
        uint32_t bytes = words & 0xffff ? words & 0xffff : 0x10000;

        assert_int_equal(address / 0x10000, (address + bytes - 1) / 0x10000);
        assert_true(bytes <= left && bytes % 2 == 0 && address % 2 == 0);
        uint8_t *memory = machine_memory(address, bytes);

        for (uint32_t i = 0; i < bytes; i++, at++) {
            uint8_t *data = &piix.data[at % sizeof(piix.data)];

            *(to_memory ? memory + i : data) = *(to_memory ? data : memory + i);
        }
        left -= bytes;
        if (words & 0x80000000u)
            break;
    }
    piix.pieces++;
    assert_int_equal(left, 0);
}

void piix_work(void)
{
    bool to_memory = piix.command == 0x25 || piix.command == 0xc8;

    if (!(status & (BUSY | DRQ)) || (transfer && !(bus_command & 1)))
        return;
    if (!transfer) {
        piix.flushes++;
        end(piix.flush_fails ? ERROR : 0);
        return;
    }
    assert_int_equal((bus_command & 8) != 0, to_memory);
    if (piix.bus_fails) {
        bus_status |= 0x02; /* and the disk still waits */
        machine_raise(EVENT_INTERRUPT(0));
        return;
    }
    if (piix.bad_sector - piix.sector < piix.count) {
        end(piix.faults ? FAULT : ERROR);
        return;
    }
    if (piix.ends_early) {
        end(0);
        return;
    }
    move(to_memory);
    bus_status &= ~1;
    end(0);
}

void piix_predecessor(uint64_t physical)
{
    uint32_t entry[2] = {(uint32_t)physical, 512 | 0x80000000u};

    memcpy(machine_memory(DMA_PHYSICAL, 8), entry, 8);
    bus_table = DMA_PHYSICAL;
    piix.command = 0xc8;
    piix.sector = 0;
    piix.count = 1;
    status = READY | BUSY;
    transfer = true;
    bus_command = 9;
    bus_status |= 1;
}

static void set_control(uint8_t value)
{
    assert_false(bus_status & 1);
    if (control & 0x04 && !(value & 0x04)) {
        piix.resets++;
        status = READY | BUSY;
        reset_until = piix.stays_busy ? UINT64_MAX : now + RESET_MS * process.tsc_khz;
        transfer = false;
        words_left = 0;
    }
    control = value;
}

static void set_bus_command(uint8_t value)
{
    if (value & 1 && !(bus_command & 1)) {
        assert_true(transfer);
        assert_int_equal(bus_status & 0x06, 0);
        bus_status |= 1;
        status = READY | DRQ; /* no longer busy, as disks may be while they move data */
    }
    if (!(value & 1))
        bus_status &= ~1;
    bus_command = value;
    if (value & 1 && !piix.silent)
        piix_work();
}

uint8_t inb(uint16_t port)
{
    if (port == BUS + 2)
        return bus_status;
    if (piix.absent)
        return 0xff;
    if (port == TASK + 1)
        return status & ERROR ? 0x04 : 0;
    assert_true(port == CONTROL || port == TASK + 7);
    if (task[6] & DEVICE_1)
        return 0;
    if (reset_until != 0 && now >= reset_until) {
        reset_until = 0;
        status = READY;
    }
    return status & BUSY && now < busy_from ? status & ~BUSY : status;
}

uint16_t inw(uint16_t port)
{
    assert_int_equal(port, TASK);
    assert_true(words_left > 0);
    if (--words_left == 0)
        status = READY;
    return identity[255 - words_left];
}

void outb(uint16_t port, uint8_t value)
{
    if (port >= BUS) {
        assert_true(port == BUS || port == BUS + 2);
        if (port == BUS)
            set_bus_command(value);
        else
            bus_status = (bus_status & 1) | (value & 0x60) | (bus_status & ~value & 0x06);
        return;
    }
    if (port == CONTROL) {
        set_control(value);
        return;
    }
    assert_true(port > TASK && port <= TASK + 7);
    if (piix.absent)
        return;
    if (port == TASK + 7) {
        start_command(value);
        return;
    }
    assert_true(!(status & BUSY) || port == TASK + 6); /* that one before a reset */
    task_before[port - TASK] = task[port - TASK];
    task[port - TASK] = value;
}

void outl(uint16_t port, uint32_t value)
{
    assert_int_equal(port, BUS + 4);
    assert_false(bus_command & 1);
    bus_table = value;
}
