/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own lines on the console. Each starts with "lintel: " and ends with CR LF. */
#ifndef REPORT_LOG_H
#define REPORT_LOG_H

#include <stddef.h>

/* One line, on a line of its own. Waits for the port when the queue is full: a line of ours is
 * never lost. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line that a monitor caused: dropped when the port is too slow, so that no VM can make the
 * others wait. */
void log_from_monitor(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Output as it is; waits likewise. */
void log_text(const char *text, size_t length);

#endif
