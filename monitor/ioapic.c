/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APIC. Its messages have the format of MSIs (SDM volume 3, "Message Signalled
 * Interrupts"). */
#include "monitor/ioapic.h"

#include "lib/ioapic.h"
#include "monitor/gate.h"

/* Memory-mapped registers. */
#define EOIR 0x40

/* Indirect registers. */
enum { REG_ID, REG_ARBITRATION = 2, REG_BOOT_CONFIGURATION };

#define VERSION           0x20 /* the first with an EOI register */
#define BOOT_DELIVERY_FSB 1    /* interrupts are messages on the system bus */
#define ID_BITS           0x0f000000u

#define DELIVERY_LOWEST      0x100ULL
#define DELIVERY_NMI         0x400ULL
#define DELIVERY_INIT        0x500ULL
#define REDIRECTION_WRITABLE 0xff0000000001afffULL /* not: delivery status and remote IRR */

/* Where nothing is connected a resistor holds the input inactive, whatever the entry calls that. */
static bool active(const struct ioapic *io, unsigned pin)
{
    bool high = io->lines >> pin & 1, low = io->redirection[pin] & REDIRECTION_ACTIVE_LOW;

    return io->driven >> pin & 1 && high != low;
}

/* A pin has something to say: by level once for each end of interrupt, by edge once for each. */
static bool waits(const struct ioapic *io, unsigned pin)
{
    uint64_t entry = io->redirection[pin];

    if (entry & (REDIRECTION_MASKED | REDIRECTION_REMOTE_IRR))
        return false;
    return entry & REDIRECTION_LEVEL ? active(io, pin) : io->edges >> pin & 1;
}

/* Whether a local APIC has taken it. */
static bool send(uint64_t entry)
{
    uint64_t address = MESSAGE_ADDRESS | entry >> REDIRECTION_DESTINATION << MESSAGE_DESTINATION;
    uint32_t data =
        (uint32_t)(entry & (REDIRECTION_VECTOR | REDIRECTION_DELIVERY)) | MESSAGE_ASSERT;

    if (entry & REDIRECTION_LOGICAL)
        address |= MESSAGE_LOGICAL;
    if ((entry & REDIRECTION_DELIVERY) == DELIVERY_LOWEST)
        address |= MESSAGE_HINT;
    if (entry & REDIRECTION_LEVEL)
        data |= MESSAGE_LEVEL;
    return gate_message(address, data) > 0;
}

/* What no local APIC takes goes on waiting: for another entry, or for ioapic_try_again. */
static void service(struct ioapic *io, unsigned pin)
{
    uint64_t *entry = &io->redirection[pin];

    if (!waits(io, pin) || !send(*entry))
        return;
    if (*entry & REDIRECTION_LEVEL)
        *entry |= REDIRECTION_REMOTE_IRR;
    io->edges &= ~(1u << pin);
}

void ioapic_reset(struct ioapic *io, uint32_t driven)
{
    *io = (struct ioapic){.driven = driven};
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        io->redirection[pin] = REDIRECTION_MASKED;
}

bool ioapic_wakes_any(const struct ioapic *io)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t delivery = io->redirection[pin] & REDIRECTION_DELIVERY;
        if (!(io->redirection[pin] & REDIRECTION_MASKED) &&
            (delivery == DELIVERY_NMI || delivery == DELIVERY_INIT))
            return true;
    }
    return false;
}

void ioapic_set_line(struct ioapic *io, unsigned pin, bool high)
{
    uint32_t bit = 1u << pin, lines = high ? io->lines | bit : io->lines & ~bit;

    if (lines == io->lines)
        return;
    io->lines = lines;
    if (!active(io, pin))
        return;
    if (!(io->redirection[pin] & (REDIRECTION_LEVEL | REDIRECTION_MASKED)))
        io->edges |= bit;
    service(io, pin);
}

void ioapic_try_again(struct ioapic *io)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        service(io, pin);
}

void ioapic_end_of_interrupt(struct ioapic *io, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t *entry = &io->redirection[pin];

        if (!(*entry & REDIRECTION_REMOTE_IRR) || (*entry & REDIRECTION_VECTOR) != vector)
            continue;
        *entry &= ~REDIRECTION_REMOTE_IRR;
        service(io, pin);
    }
}

static uint32_t read_entry(const struct ioapic *io, unsigned half)
{
    uint64_t entry = io->redirection[half / 2] | (waits(io, half / 2) ? REDIRECTION_SENDING : 0);

    return (uint32_t)(entry >> half % 2 * 32);
}

static uint32_t read_register(const struct ioapic *io)
{
    unsigned half = io->select - IOAPIC_REDIRECTION;

    switch (io->select) {
    case REG_ID:
    case REG_ARBITRATION:
        return io->id;
    case IOAPIC_VERSION:
        return VERSION | (IOAPIC_PINS - 1) << 16;
    case REG_BOOT_CONFIGURATION:
        return BOOT_DELIVERY_FSB;
    default:
        if (io->select < IOAPIC_REDIRECTION || half >= 2 * IOAPIC_PINS)
            return UINT32_MAX;
        return read_entry(io, half);
    }
}

/* An entry that becomes edge-triggered forgets its remote IRR: software without the EOI register
 * relies on it. One that becomes level-triggered forgets its edge. */
static void write_entry(struct ioapic *io, unsigned half, uint32_t value)
{
    uint64_t *entry = &io->redirection[half / 2];
    unsigned shift = half % 2 * 32;
    uint64_t writable = REDIRECTION_WRITABLE & 0xffffffffULL << shift;

    *entry = (*entry & ~writable) | ((uint64_t)value << shift & writable);
    if (*entry & REDIRECTION_LEVEL)
        io->edges &= ~(1u << half / 2);
    else
        *entry &= ~REDIRECTION_REMOTE_IRR;
    service(io, half / 2);
}

static void write_register(struct ioapic *io, uint32_t value)
{
    unsigned half = io->select - IOAPIC_REDIRECTION;

    if (io->select == REG_ID)
        io->id = value & ID_BITS;
    else if (io->select >= IOAPIC_REDIRECTION && half < 2 * IOAPIC_PINS)
        write_entry(io, half, value);
}

uint32_t ioapic_read(const struct ioapic *io, uint64_t offset)
{
    switch (offset) {
    case IOAPIC_INDEX:
        return io->select;
    case IOAPIC_DATA:
        return read_register(io);
    default:
        return UINT32_MAX;
    }
}

void ioapic_write(struct ioapic *io, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case IOAPIC_INDEX:
        io->select = (uint8_t)value;
        break;
    case IOAPIC_DATA:
        write_register(io, value);
        break;
    case EOIR:
        ioapic_end_of_interrupt(io, (uint8_t)value);
        break;
    default:
        break;
    }
}
