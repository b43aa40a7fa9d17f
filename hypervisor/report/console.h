/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: one serial line, shared by the hypervisor's log and the VMs that have a console. One
 * VM at a time has the input; Ctrl-] n gives it to the next, and Ctrl-] d
 * has all VMs report where their guests are. Of the output, console=focus shows
 * that VM's, and keeps the end of what the others write until it is their turn; console=lines shows
 * all VMs', line by line, with their names in front.
 */
#ifndef REPORT_CONSOLE_H
#define REPORT_CONSOLE_H

#include <stddef.h>

struct vm;

/* The first VM with a console gets the line. After all VMs are made. */
void console_init(void);

/* Takes as much of text as there is room for; returns how many bytes. What is not taken the monitor
 * offers again. */
size_t console_write(struct vm *vm, const char *text, size_t length);

/* Gives up to max bytes of input; returns how many. */
size_t console_read(struct vm *vm, char *text, size_t max);

/* A VM ends: shows what it wrote last. */
void console_show_rest(struct vm *vm);

/* It has ended, and the log has said so: the next VM gets the line. */
void console_stopped(struct vm *vm);

/* The serial port's interrupt: input, or room for output. */
void console_interrupt(void);

#endif
