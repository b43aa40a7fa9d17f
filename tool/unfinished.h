/* SPDX-License-Identifier: BSD-2-Clause */
/* What must not be left behind when a signal ends the tool half-way: work folders,
 * half an image. */
#pragma once

#include <signal.h>
#include <stdbool.h>

/*
 * From here to unfinished_end, `path` (a file, or a folder with all that is in it; it need not be
 * there yet) is removed when a signal ends the tool. Such signals are held so long, and taken where
 * the tool waits: process_run, emulator_start and session_run. Pairs may be nested; the path must
 * stay valid.
 */
void unfinished_begin(const char *path);

/* Whether a signal is held: who waits elsewhere for long looks now and then, and comes to an end.
 */
bool unfinished_ends(void);

/* The path of the last unfinished_begin stays, or is removed already. A signal that was held ends
 * the tool now. */
void unfinished_end(void);

/* The signals that end the tool: not those that it was started to ignore, as by nohup. */
void unfinished_signals(sigset_t *set);

/* Removes what is unfinished, and ends the tool with the exit code for this signal. */
_Noreturn void unfinished_stop(int signal_number);
