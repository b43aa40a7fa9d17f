/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial port (16550), as ring 0 has set it up: 115200 baud, 8N1, FIFOs on. Output goes through
 * a queue: nobody waits for the line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/log.h"

/* The first of its ports, and where the queue is: what is in it goes out. At first the port does
 * not interrupt. */
void port_init(uint16_t base, struct log_reader *at);

/* Whether it interrupts: for received bytes, and for room while something is queued. */
void port_ask(bool input, bool output);

/* Queues text; what has no room is lost, so port_room is asked before. */
void port_write(const char *text, size_t length);

/* The last byte that was queued, or a newline. */
char port_last(void);

/* Bytes of the queue: free, and used. */
size_t port_room(void);
size_t port_queued(void);

/* Gives the port what it can take now: a FIFO, or nothing. */
void port_push(void);

/* Whether all that was queued has left the port. */
bool port_sent(void);

/* Whether the port asks for attention; reading this ends a transmit interrupt. */
bool port_pending(void);

/* One received byte, or -1. */
int port_read(void);
