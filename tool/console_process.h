/* SPDX-License-Identifier: BSD-2-Clause */
/* The process that has the serial line. */
#pragma once

#include <stdbool.h>

#include "tool/loading.h"

/* Adds it to the plan, with a channel for each VM, as the VM's `console` says. After the VMs. */
void console_process_load(struct loading *loading);

/* Whether a word of --hypervisor-options is for it. The words may be NULL; of several that are, the
 * last one counts. */
bool console_process_word(const char *word);
enum console_words {
    CONSOLE_WORDS_NONE,
    CONSOLE_WORDS_FOCUS, /* one VM's output is shown at a time */
    CONSOLE_WORDS_LINES, /* the lines of all are */
    CONSOLE_WORDS_WRONG, /* it says something else */
};
enum console_words console_words_read(const char *words);

/* Tells the process what is to be shown. */
void console_process_set_lines(struct plan *plan, bool lines);
