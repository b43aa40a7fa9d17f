/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/report/serial.c: a line that sends when a test says so, and the VMs
 * that share it. */
#ifndef REPORT_LINE_H
#define REPORT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_QUEUE 0x10000

struct port {
    char sent[0x100000];
    size_t queued, length; /* of what was written: not sent, and all */
    size_t flushes;        /* how often somebody waited */
    const char *typed;     /* input */
    bool babbles;          /* it has always input, and asks for ever */
    bool asks;             /* its interrupt is on */
    unsigned accesses;
};
extern struct port port;

/* `vms` VMs with consoles, an empty line, and nothing written. */
void line_reset(unsigned vms);

/* So many bytes leave the queue. */
void line_send(size_t bytes);

/* How often a text is in what was written. */
unsigned line_count(const char *text);

/* Whether each VM, by its number, has an event for its monitor; reading takes it. */
bool line_woken(unsigned vm);

#endif
