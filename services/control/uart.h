/* SPDX-License-Identifier: BSD-2-Clause */
/* The control line's serial port (16550), at 115200 baud, 8N1, with FIFOs. It is this process's
 * alone, which sets it up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first of its ports. False: nothing answers there. */
bool uart_init(uint16_t base);

/* One received byte, or -1. */
int uart_read(void);

/* Whether it asks for attention; reading this ends a transmit interrupt. */
bool uart_pending(void);

/* Gives the port as many of these bytes as it takes now. Returns how many. */
size_t uart_write(const uint8_t *bytes, size_t count);

/* Interrupts for received bytes, or none; and for room. */
void uart_ask(bool input, bool output);
