/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's first serial port (16550), until the console has it, and after it: ring 0 waits for
 * it. */
#pragma once

/* 115200 baud, 8N1, FIFOs on, interrupts off: as the console finds it. */
void serial_init(void);

/* Sends a byte when there is room. A port that stands still for a second holds nobody up after
 * that, and loses what it does not take. */
void serial_put(char c);

/* Waits until all has left the port, or for a second. */
void serial_flush(void);
