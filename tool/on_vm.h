/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that do something to one VM of a run, and take nothing but its name. */
#pragma once

#include "tool/command.h"
#include "tool/control_line.h"

/* What is done; `what` is on_vm's. */
typedef enum exit_code vm_action(struct control_line *line, const struct control_hello *hello,
                                 const char *name, const void *what);

/* Reads the words (a run's socket, a VM's name), opens the line, and does it. Returns its code, or
 * another one after a message. */
int on_vm(const struct command *self, int argc, char *argv[], vm_action *act, const void *what);
