/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550A UART: the state of the chip, without a line. Whoever owns it moves bytes between its
 * FIFOs and the console, and its interrupt to the interrupt controller. No time passes in it: a
 * byte is sent when the console takes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_FIFO_SIZE 16

struct uart_fifo {
    uint8_t bytes[UART_FIFO_SIZE];
    uint8_t head, count;
};

struct uart {
    struct uart_fifo receive, transmit;
    uint8_t divisor[2]; /* low, high */
    uint8_t interrupt_enable, fifo_control, line_control, modem_control, scratch;
    uint8_t line_errors; /* bits of the line status register that reading it clears */
    uint8_t modem_delta; /* likewise of the modem status register */
    /* set when the transmitter runs empty, cleared by reading the IIR */
    bool transmitter_empty_interrupt;
};

void uart_reset(struct uart *u);

/* The register at the port's offset 0 to 7. */
uint8_t uart_read(struct uart *u, unsigned offset);
void uart_write(struct uart *u, unsigned offset, uint8_t value);

/* Whether that write would lose a byte: the transmitter has no room. */
bool uart_loses(const struct uart *u, unsigned offset);

/* The level of the interrupt line; changes after any of the calls here. */
bool uart_interrupt(const struct uart *u);

/* Copies what waits to be sent into `bytes`, which has room for UART_FIFO_SIZE; returns how many
 * there are. */
size_t uart_output(const struct uart *u, char *bytes);

/* The first `count` of them have been sent. */
void uart_sent(struct uart *u, size_t count);

/* How many bytes can be received now without losing one. */
size_t uart_room(const struct uart *u);

/* Bytes came in over the line. Where there is no room, an overrun loses the new byte with FIFOs,
 * and the old one without. */
void uart_receive(struct uart *u, const char *bytes, size_t count);
