/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550A UART, after the data sheet of the PC16550D. */
#include "monitor/uart.h"

/* Registers by offset; the first of a pair is read, the second written. */
enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RECEIVED    0x01
#define IER_TRANSMITTER 0x02
#define IER_LINE        0x04
#define IER_MODEM       0x08
#define IER_BITS        0x0f

#define IIR_NONE        0x01
#define IIR_MODEM       0x00
#define IIR_TRANSMITTER 0x02
#define IIR_RECEIVED    0x04
#define IIR_LINE        0x06
#define IIR_TIMEOUT     0x0c
#define IIR_FIFO        0xc0

#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define FCR_KEPT     0xc9 /* enable, DMA mode, trigger level */

#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08 /* on a PC: lets the interrupt out of the chip */
#define MCR_LOOP 0x10
#define MCR_BITS 0x1f

#define LSR_READY     0x01
#define LSR_OVERRUN   0x02
#define LSR_THR_EMPTY 0x20
#define LSR_IDLE      0x40

#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI  0x40
#define MSR_DCD 0x80

static void push(struct uart_fifo *f, uint8_t byte)
{
    f->bytes[(f->head + f->count++) % UART_FIFO_SIZE] = byte;
}

static void pop(struct uart_fifo *f, size_t count)
{
    f->head = (uint8_t)((f->head + count) % UART_FIFO_SIZE);
    f->count = (uint8_t)(f->count - count);
}

static bool fifo_enabled(const struct uart *u)
{
    return u->fifo_control & FCR_ENABLE;
}

static unsigned trigger_level(const struct uart *u)
{
    static const uint8_t levels[4] = {1, 4, 8, 14};

    return fifo_enabled(u) ? levels[u->fifo_control >> 6] : 1;
}

/* The other end of the line is always ready; in loopback the outputs are the inputs. */
static uint8_t modem_lines(const struct uart *u)
{
    uint8_t mcr = u->modem_control;

    if (!(mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
                     (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/*
 * The interrupt of the highest priority. A FIFO filled below its trigger level counts as timed out
 * at once: the console hands over all that it has, so that nothing more can be waited for.
 */
static uint8_t interrupt_id(const struct uart *u)
{
    uint8_t enabled = u->interrupt_enable;

    if (enabled & IER_LINE && u->line_errors != 0)
        return IIR_LINE;
    if (enabled & IER_RECEIVED && u->receive.count > 0)
        return u->receive.count >= trigger_level(u) ? IIR_RECEIVED : IIR_TIMEOUT;
    if (enabled & IER_TRANSMITTER && u->transmitter_empty_interrupt)
        return IIR_TRANSMITTER;
    if (enabled & IER_MODEM && u->modem_delta != 0)
        return IIR_MODEM;
    return IIR_NONE;
}

void uart_reset(struct uart *u)
{
    *u = (struct uart){.transmitter_empty_interrupt = true};
}

bool uart_interrupt(const struct uart *u)
{
    bool let_out = (u->modem_control & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

    return let_out && interrupt_id(u) != IIR_NONE;
}

static uint8_t read_received(struct uart *u)
{
    uint8_t byte = u->receive.bytes[u->receive.head];

    if (u->receive.count == 0)
        return 0;
    pop(&u->receive, 1);
    return byte;
}

static uint8_t read_interrupt_id(struct uart *u)
{
    uint8_t id = interrupt_id(u);

    if (id == IIR_TRANSMITTER)
        u->transmitter_empty_interrupt = false;
    return id | (fifo_enabled(u) ? IIR_FIFO : 0);
}

static uint8_t read_line_status(struct uart *u)
{
    uint8_t status = u->line_errors;

    u->line_errors = 0;
    if (u->receive.count > 0)
        status |= LSR_READY;
    if (u->transmit.count == 0)
        status |= LSR_THR_EMPTY | LSR_IDLE;
    return status;
}

static uint8_t read_modem_status(struct uart *u)
{
    uint8_t status = modem_lines(u) | u->modem_delta;

    u->modem_delta = 0;
    return status;
}

uint8_t uart_read(struct uart *u, unsigned offset)
{
    bool divisor = u->line_control & LCR_DLAB;

    switch (offset) {
    case RBR_THR:
        return divisor ? u->divisor[0] : read_received(u);
    case IER:
        return divisor ? u->divisor[1] : u->interrupt_enable;
    case IIR_FCR:
        return read_interrupt_id(u);
    case LCR:
        return u->line_control;
    case MCR:
        return u->modem_control;
    case LSR:
        return read_line_status(u);
    case MSR:
        return read_modem_status(u);
    default:
        return u->scratch;
    }
}

static void write_transmitter(struct uart *u, uint8_t byte)
{
    if (u->modem_control & MCR_LOOP) {
        uart_receive(u, (const char *)&byte, 1);
        u->transmitter_empty_interrupt = true;
        return;
    }
    /* A driver that heeds THRE never comes here with a full FIFO; with others the board waits for
     * room, and when there is none the byte is lost, as in the chip. */
    if (u->transmit.count < UART_FIFO_SIZE)
        push(&u->transmit, byte);
    u->transmitter_empty_interrupt = false;
}

bool uart_loses(const struct uart *u, unsigned offset)
{
    return u->transmit.count == UART_FIFO_SIZE && offset == RBR_THR &&
           !(u->line_control & LCR_DLAB) && !(u->modem_control & MCR_LOOP);
}

static void write_interrupt_enable(struct uart *u, uint8_t value)
{
    uint8_t rising = value & ~u->interrupt_enable;

    u->interrupt_enable = value & IER_BITS;
    if (rising & IER_TRANSMITTER && u->transmit.count == 0)
        u->transmitter_empty_interrupt = true;
}

static void write_fifo_control(struct uart *u, uint8_t value)
{
    if ((value ^ u->fifo_control) & FCR_ENABLE)
        value |= FCR_CLEAR_RX | FCR_CLEAR_TX;
    else if (!(value & FCR_ENABLE))
        return; /* the other bits count only together with this one */
    u->fifo_control = value & FCR_ENABLE ? value & FCR_KEPT : 0;
    if (value & FCR_CLEAR_RX)
        u->receive = (struct uart_fifo){0};
    if (value & FCR_CLEAR_TX && u->transmit.count > 0)
        uart_sent(u, u->transmit.count);
}

static void write_modem_control(struct uart *u, uint8_t value)
{
    uint8_t before = modem_lines(u);

    u->modem_control = value & MCR_BITS;
    uint8_t after = modem_lines(u), changed = before ^ after;

    /* The ring indicator counts only where it ends. */
    changed &= (uint8_t)~(after & MSR_RI);
    u->modem_delta |= changed >> 4;
}

void uart_write(struct uart *u, unsigned offset, uint8_t value)
{
    bool divisor = u->line_control & LCR_DLAB;

    switch (offset) {
    case RBR_THR:
        if (divisor)
            u->divisor[0] = value;
        else
            write_transmitter(u, value);
        break;
    case IER:
        if (divisor)
            u->divisor[1] = value;
        else
            write_interrupt_enable(u, value);
        break;
    case IIR_FCR:
        write_fifo_control(u, value);
        break;
    case LCR:
        u->line_control = value;
        break;
    case MCR:
        write_modem_control(u, value);
        break;
    case SCR:
        u->scratch = value;
        break;
    default: /* the status registers are read-only */
        break;
    }
}

size_t uart_output(const struct uart *u, char *bytes)
{
    for (size_t i = 0; i < u->transmit.count; i++)
        bytes[i] = (char)u->transmit.bytes[(u->transmit.head + i) % UART_FIFO_SIZE];
    return u->transmit.count;
}

void uart_sent(struct uart *u, size_t count)
{
    pop(&u->transmit, count);
    if (u->transmit.count == 0)
        u->transmitter_empty_interrupt = true;
}

static size_t free_places(const struct uart *u)
{
    size_t places = fifo_enabled(u) ? UART_FIFO_SIZE : 1;

    return places - u->receive.count;
}

size_t uart_room(const struct uart *u)
{
    return u->modem_control & MCR_LOOP ? 0 : free_places(u);
}

void uart_receive(struct uart *u, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (free_places(u) == 0) {
            u->line_errors |= LSR_OVERRUN;
            if (fifo_enabled(u))
                continue;
            pop(&u->receive, 1); /* the next byte destroys the one that was not read */
        }
        push(&u->receive, (uint8_t)bytes[i]);
    }
}
