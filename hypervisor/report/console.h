/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: one serial line, shared by the hypervisor's log and the VMs that have a console. One
 * VM at a time has the input; Ctrl-] n gives it to the next, and Ctrl-] d
 * has all VMs report where their guests are. Of the output, console=focus shows
 * that VM's, and keeps the end of what the others write until it is their turn; console=lines shows
 * all VMs', line by line, with their names in front. Nothing that a VM does here makes anybody wait
 * for the line, and no VM takes another one's share of it.
 */
#ifndef REPORT_CONSOLE_H
#define REPORT_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hypervisor/report/serial.h"

struct vm;

/* For how long nobody looks at the port when its interrupt does not come, in ticks of the TSC; and
 * when it has none: a FIFO takes little longer to send. */
#define CONSOLE_PATIENCE_MS      10
#define CONSOLE_POLL_PATIENCE_MS 1
extern uint64_t console_patience;

extern bool console_lines; /* console=focus|lines */

/* `patience` in ticks; interrupts: whether the port has one. Before the first VM is made. */
void console_init(uint64_t patience, bool interrupts);

/* The first VM with a console gets the line. After all VMs are made. */
void console_start(void);

/* Takes as much of text as there is room for; returns how many bytes. What is not taken the monitor
 * offers again. */
size_t console_write(struct vm *vm, const char *text, size_t length);

/* Gives up to max bytes of input; returns how many. */
size_t console_read(struct vm *vm, char *text, size_t max);

/* A VM ends: shows what it wrote last. */
void console_show_rest(struct vm *vm);

/* It has ended, and the log has said so: the next VM gets the line. */
void console_stopped(struct vm *vm);

/* The serial port's interrupt: input, or room for output. Bounded, whatever the port says; `now` is
 * the TSC. */
void console_interrupt(uint64_t now);

/* When the patience is at its end: a guest that runs at that time may be the one that keeps the
 * interrupt out (docs/emulator.md), and console_interrupt is called. */
extern uint64_t console_next_look;

/* A port that cannot interrupt, or that did not stop asking and does so no more, wants console_look
 * when the TSC has reached this. UINT64_MAX: it does interrupt. */
extern uint64_t console_due;

/* Between two turns: also when the port has had no interrupt for so long, and there is output. */
static inline void console_look(uint64_t now)
{
    if (now >= console_due || (now >= console_next_look && serial_queued()))
        console_interrupt(now);
}

#endif
