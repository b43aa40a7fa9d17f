/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's first serial port (16550): the only device that ring 0 drives apart from interrupt
 * controllers. */
#ifndef REPORT_SERIAL_H
#define REPORT_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_IRQ 4 /* ISA */

/* 115200 baud, 8N1, FIFOs on, interrupts off. */
void serial_init(void);

/* Whether it interrupts: for received bytes, and for room while something is queued. At first it
 * does not. */
void serial_ask(bool on);

/* Queues as much of text as fits; returns how many bytes that was. Never waits. */
size_t serial_write(const char *text, size_t length);

/* How many bytes serial_write would take now. */
size_t serial_room(void);

/* Whether something is queued. */
bool serial_queued(void);

/* Gives the port what it can take now. False: that was nothing. */
bool serial_push(void);

/* Waits until all that is queued has left the port. A port that stands still for a
 * second loses it. */
void serial_flush(void);

/* Whether the port asks for attention; reading this ends a transmit interrupt. */
bool serial_pending(void);

/* One received byte, or -1. */
int serial_read(void);

#endif
