/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/control/uart.h"

#include "lib/bits.h"
#include "lib/uart.h"
#include "runtime/io.h"

static uint16_t base;
static uint8_t interrupts;

static uint8_t read(uint8_t r)
{
    return inb((uint16_t)(base + r));
}

static void write(uint8_t r, uint8_t value)
{
    outb((uint16_t)(base + r), value);
}

bool uart_init(uint16_t first)
{
    static const uint8_t setup[] = {UART_SETUP(UART_FIFO_GATHERS)};

    base = first;
    interrupts = 0;
    write(UART_SCRATCH, 0x5a);
    if (read(UART_SCRATCH) != 0x5a)
        return false;
    for (size_t i = 0; i < sizeof(setup); i += 2)
        write(setup[i], setup[i + 1]);
    return true;
}

int uart_read(void)
{
    return read(UART_LINE_STATUS) & UART_DATA_READY ? read(UART_DATA) : -1;
}

bool uart_pending(void)
{
    return !(read(UART_INTERRUPT_ID) & UART_NOT_PENDING);
}

size_t uart_write(const uint8_t *bytes, size_t count)
{
    size_t n = count > 0 && read(UART_LINE_STATUS) & UART_TRANSMIT_EMPTY
                   ? (size_t)min_u64(count, UART_FIFO_SIZE)
                   : 0;

    for (size_t i = 0; i < n; i++)
        write(UART_DATA, bytes[i]);
    return n;
}

void uart_ask(bool input, bool output)
{
    uint8_t want = (input ? UART_RECEIVE_INTERRUPT : 0) | (output ? UART_TRANSMIT_INTERRUPT : 0);

    if (want != interrupts)
        write(UART_INTERRUPT_ENABLE, want);
    interrupts = want;
}
