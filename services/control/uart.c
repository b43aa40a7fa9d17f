/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/control/uart.h"

#include "lib/bits.h"
#include "runtime/io.h"

enum uart_register {
    DATA,
    INTERRUPT_ENABLE,
    INTERRUPT_ID,
    FIFO_CONTROL = INTERRUPT_ID,
    LINE_CONTROL,
    MODEM_CONTROL,
    LINE_STATUS,
    SCRATCH = 7
};

#define NOT_PENDING        0x01
#define DATA_READY         0x01
#define TRANSMIT_EMPTY     0x20
#define TRANSMIT_FIFO_SIZE 16
#define RECEIVE_INTERRUPT  0x01
#define TRANSMIT_INTERRUPT 0x02

static uint16_t base;
static uint8_t interrupts;

static uint8_t read(enum uart_register r)
{
    return inb((uint16_t)(base + r));
}

static void write(enum uart_register r, uint8_t value)
{
    outb((uint16_t)(base + r), value);
}

bool uart_init(uint16_t first)
{
    base = first;
    interrupts = 0;
    write(SCRATCH, 0x5a);
    if (read(SCRATCH) != 0x5a)
        return false;
    write(INTERRUPT_ENABLE, 0);
    write(LINE_CONTROL, 0x80); /* divisor latch: 1 is 115200 baud */
    write(DATA, 1);
    write(INTERRUPT_ENABLE, 0);
    write(LINE_CONTROL, 0x03);  /* 8N1 */
    write(FIFO_CONTROL, 0xc7);  /* on, cleared, receive at 14 bytes or a pause */
    write(MODEM_CONTROL, 0x0b); /* DTR, RTS, OUT2: the interrupt line */
    return true;
}

int uart_read(void)
{
    return read(LINE_STATUS) & DATA_READY ? read(DATA) : -1;
}

bool uart_pending(void)
{
    return !(read(INTERRUPT_ID) & NOT_PENDING);
}

size_t uart_write(const uint8_t *bytes, size_t count)
{
    size_t n = count > 0 && read(LINE_STATUS) & TRANSMIT_EMPTY
                   ? (size_t)min_u64(count, TRANSMIT_FIFO_SIZE)
                   : 0;

    for (size_t i = 0; i < n; i++)
        write(DATA, bytes[i]);
    return n;
}

void uart_ask(bool input, bool output)
{
    uint8_t want = (input ? RECEIVE_INTERRUPT : 0) | (output ? TRANSMIT_INTERRUPT : 0);

    if (want != interrupts)
        write(INTERRUPT_ENABLE, want);
    interrupts = want;
}
