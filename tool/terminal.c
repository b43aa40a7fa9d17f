/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's terminal: see terminal.h. */
#include "tool/terminal.h"

#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool changed;

/* A process in the background is stopped when it reads the terminal or changes its settings. */
static bool in_foreground(void)
{
    return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

bool terminal_input_is_ours(void)
{
    return !isatty(STDIN_FILENO) || in_foreground();
}

bool terminal_is_ours(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && in_foreground();
}

void terminal_restore(void)
{
    if (changed && in_foreground())
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

void terminal_raw(void)
{
    struct termios raw;

    if (!changed) {
        if (tcgetattr(STDIN_FILENO, &before) != 0)
            return;
        atexit(terminal_restore);
        changed = true;
    }
    raw = before;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
}
