/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APIC. Its messages have the format of MSIs (SDM volume 3, "Message Signalled
 * Interrupts"). */
#include "monitor/ioapic.h"

#include "monitor/gate.h"

/* Memory-mapped registers. */
#define IOREGSEL 0x00
#define IOWIN    0x10
#define EOIR     0x40

/* Indirect registers. */
enum { REG_ID, REG_VERSION, REG_ARBITRATION, REG_BOOT_CONFIGURATION, REG_REDIRECTION = 0x10 };

#define VERSION           0x20 /* the first with an EOI register */
#define BOOT_DELIVERY_FSB 1    /* interrupts are messages on the system bus */
#define ID_BITS           0x0f000000u

#define ENTRY_VECTOR      0xffULL
#define ENTRY_DELIVERY    0x700ULL
#define DELIVERY_LOWEST   0x100ULL
#define ENTRY_LOGICAL     (1ULL << 11)
#define ENTRY_ACTIVE_LOW  (1ULL << 13)
#define ENTRY_REMOTE_IRR  (1ULL << 14)
#define ENTRY_LEVEL       (1ULL << 15)
#define ENTRY_MASKED      (1ULL << 16)
#define ENTRY_DESTINATION 56
#define ENTRY_WRITABLE                                                                             \
    0xff0000000001afffULL /* not: delivery status, which is always idle, and remote IRR */

#define MESSAGE_ADDRESS     0xfee00000ULL
#define MESSAGE_DESTINATION 12
#define MESSAGE_HINT        (1ULL << 3)
#define MESSAGE_LOGICAL     (1ULL << 2)
#define MESSAGE_ASSERT      (1u << 14)
#define MESSAGE_LEVEL       (1u << 15)

static bool active(const struct ioapic *io, unsigned pin)
{
    return (io->lines >> pin & 1) != ((io->redirection[pin] & ENTRY_ACTIVE_LOW) != 0);
}

static void send(uint64_t entry)
{
    uint64_t address = MESSAGE_ADDRESS | entry >> ENTRY_DESTINATION << MESSAGE_DESTINATION;
    uint32_t data = (uint32_t)(entry & (ENTRY_VECTOR | ENTRY_DELIVERY)) | MESSAGE_ASSERT;

    if (entry & ENTRY_LOGICAL)
        address |= MESSAGE_LOGICAL;
    if ((entry & ENTRY_DELIVERY) == DELIVERY_LOWEST)
        address |= MESSAGE_HINT;
    if (entry & ENTRY_LEVEL)
        data |= MESSAGE_LEVEL;
    gate_message(address, data);
}

/* A level-triggered pin that is active sends one message for each end of interrupt. */
static void service_level(struct ioapic *io, unsigned pin)
{
    uint64_t *entry = &io->redirection[pin];

    if ((*entry & (ENTRY_LEVEL | ENTRY_MASKED | ENTRY_REMOTE_IRR)) != ENTRY_LEVEL ||
        !active(io, pin))
        return;
    *entry |= ENTRY_REMOTE_IRR;
    send(*entry);
}

void ioapic_reset(struct ioapic *io)
{
    *io = (struct ioapic){0};
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        io->redirection[pin] = ENTRY_MASKED;
}

void ioapic_set_line(struct ioapic *io, unsigned pin, bool high)
{
    uint32_t lines = (io->lines & ~(1u << pin)) | (uint32_t)high << pin;
    uint64_t entry = io->redirection[pin];

    if (lines == io->lines)
        return;
    io->lines = lines;
    if (entry & ENTRY_LEVEL)
        service_level(io, pin);
    else if (active(io, pin) && !(entry & ENTRY_MASKED))
        send(entry);
}

void ioapic_end_of_interrupt(struct ioapic *io, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t *entry = &io->redirection[pin];

        if (!(*entry & ENTRY_REMOTE_IRR) || (*entry & ENTRY_VECTOR) != vector)
            continue;
        *entry &= ~ENTRY_REMOTE_IRR;
        service_level(io, pin);
    }
}

static uint32_t read_register(const struct ioapic *io)
{
    unsigned half = io->select - REG_REDIRECTION;

    switch (io->select) {
    case REG_ID:
    case REG_ARBITRATION:
        return io->id;
    case REG_VERSION:
        return VERSION | (IOAPIC_PINS - 1) << 16;
    case REG_BOOT_CONFIGURATION:
        return BOOT_DELIVERY_FSB;
    default:
        if (io->select < REG_REDIRECTION || half >= 2 * IOAPIC_PINS)
            return UINT32_MAX;
        return (uint32_t)(io->redirection[half / 2] >> (half % 2 * 32));
    }
}

/* An entry that becomes edge-triggered forgets its remote IRR: software without the EOI register
 * relies on it. */
static void write_entry(struct ioapic *io, unsigned half, uint32_t value)
{
    uint64_t *entry = &io->redirection[half / 2];
    unsigned shift = half % 2 * 32;
    uint64_t writable = ENTRY_WRITABLE & 0xffffffffULL << shift;

    *entry = (*entry & ~writable) | ((uint64_t)value << shift & writable);
    if (!(*entry & ENTRY_LEVEL))
        *entry &= ~ENTRY_REMOTE_IRR;
    service_level(io, half / 2);
}

static void write_register(struct ioapic *io, uint32_t value)
{
    unsigned half = io->select - REG_REDIRECTION;

    if (io->select == REG_ID)
        io->id = value & ID_BITS;
    else if (io->select >= REG_REDIRECTION && half < 2 * IOAPIC_PINS)
        write_entry(io, half, value);
}

uint32_t ioapic_read(const struct ioapic *io, uint64_t offset)
{
    switch (offset) {
    case IOREGSEL:
        return io->select;
    case IOWIN:
        return read_register(io);
    default:
        return UINT32_MAX;
    }
}

void ioapic_write(struct ioapic *io, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case IOREGSEL:
        io->select = (uint8_t)value;
        break;
    case IOWIN:
        write_register(io, value);
        break;
    case EOIR:
        ioapic_end_of_interrupt(io, (uint8_t)value);
        break;
    default:
        break;
    }
}
