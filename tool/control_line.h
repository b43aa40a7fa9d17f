/* SPDX-License-Identifier: BSD-2-Clause */
/* The tool's end of a control line: a run's socket, or a serial port of this machine that leads to
 * one that runs Lintel. */
#pragma once

#include <stdbool.h>

#include "abi/control.h"
#include "tool/report.h"

struct control_line {
    const char *path;
    int file;
    uint8_t tag;
};

/* Opens it, and sees that somebody answers who speaks the same version. On LINTEL_OK
 * control_line_close must follow; otherwise the message has been printed. */
enum exit_code control_line_open(struct control_line *line, const char *path,
                                 struct control_hello *hello);

/* Asks, again if no answer comes, and waits for the answer; CONTROL_SILENT: there was none. Of its
 * data what was not sent is 0. */
enum control_error control_line_ask(struct control_line *line, enum control_call call, unsigned vm,
                                    uint64_t argument, struct control_answer *answer);

/* Fetches what is known of a VM. LINTEL_MACHINE after a message. */
enum exit_code control_line_look(struct control_line *line, unsigned vm, struct control_vm *is);

/* The number of the VM with this name, and what is known of it. Its code otherwise, after a
 * message. */
enum exit_code control_line_find(struct control_line *line, const struct control_hello *hello,
                                 const char *name, unsigned *vm, struct control_vm *is);

/* Whoever is at the line: what comes of it is printed without control characters, as '?'. A name
 * has an end as well. */
void control_line_plain(char *text, size_t size);
void control_line_name(char name[PLAN_NAME_SIZE]);

/* Says that no answer has come where there had been some. Returns LINTEL_MACHINE. */
enum exit_code control_line_gone(const struct control_line *line);

void control_line_close(struct control_line *line);
