/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own lines on the console. Each starts with "lintel: " and ends with CR LF. */
#ifndef REPORT_LOG_H
#define REPORT_LOG_H

#include <stddef.h>

#define LOG_LINE_SIZE 256

/* One line, on a line of its own. Waits for the port when the queue is full: a line of ours is
 * never lost. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What VMs may still cause to be written without taking the room that the lines of ours have. */
size_t log_room(void);

/* Output as it is; waits likewise. */
void log_text(const char *text, size_t length);

#endif
