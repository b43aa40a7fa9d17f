/* SPDX-License-Identifier: BSD-2-Clause */
/* A serial port: the registers of a 16550, as offsets from its first port, by the data sheet of the
 * PC16550D; for C and assembly. */
#pragma once

#define UART_DATA             0 /* with the divisor latch: the divisor's low half */
#define UART_INTERRUPT_ENABLE 1 /* its high half */
#define UART_INTERRUPT_ID     2 /* read */
#define UART_FIFO_CONTROL     2 /* written */
#define UART_LINE_CONTROL     3
#define UART_MODEM_CONTROL    4
#define UART_LINE_STATUS      5
#define UART_SCRATCH          7

#define UART_FIFO_SIZE 16

/* Line status. */
#define UART_DATA_READY        0x01
#define UART_TRANSMIT_EMPTY    0x20 /* the FIFO */
#define UART_TRANSMITTER_EMPTY 0x40 /* the FIFO and the shift register */

/* Interrupts, as they are enabled; and in the interrupt's identification. */
#define UART_RECEIVE_INTERRUPT  0x01
#define UART_TRANSMIT_INTERRUPT 0x02
#define UART_NOT_PENDING        0x01

/* The FIFOs on and cleared, to tell of 14 received bytes or a pause, or of each byte: Bochs makes a
 * pause of what is none, and a NUL of that (docs/emulator.md). */
#define UART_FIFO_GATHERS 0xc7
#define UART_FIFO_TELLS   0x07

/* A register and what is written to it, one after the other: interrupts off, a divisor of 1, which
 * is 115200 baud, 8N1, the FIFOs, and DTR, RTS and OUT2, which is the interrupt line. */
#define UART_SETUP(fifo)                                                                           \
    UART_INTERRUPT_ENABLE, 0x00, UART_LINE_CONTROL, 0x80, UART_DATA, 0x01, UART_INTERRUPT_ENABLE,  \
        0x00, UART_LINE_CONTROL, 0x03, UART_FIFO_CONTROL, fifo, UART_MODEM_CONTROL, 0x0b
