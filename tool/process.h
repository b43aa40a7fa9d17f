/* SPDX-License-Identifier: BSD-2-Clause */
/* Other programs, and the folder that they work in. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Whether PATH has this program. */
bool program_exists(const char *name);

/* In a child that becomes another program: signals are held and ignored no more. */
void process_reset_signals(void);

/* Starts a program, in `folder` (NULL: where the tool is), its output in the file `output`, in a
 * process group of its own. Returns the process; negative: it could not be made. */
pid_t process_start(const char *const argv[], const char *folder, const char *output);

/* How a process that waitpid has told of ended: its exit code, or 128 + N after signal N. */
int process_code(int status);

/*
 * Runs a program to its end, in `folder` (NULL: where the tool is), its output in the file
 * `output`. Returns its exit code, 128 + N after signal N, 127 when it could not be started. A
 * signal that ends the tool ends the program first.
 */
int process_run(const char *const argv[], const char *folder, const char *output);

/* Prints the last lines of a text file on stderr, indented; nothing when there is no such file. */
void print_tail(const char *path, unsigned lines);

/* A new folder, only for this user, unfinished (unfinished.h) until it is removed. NULL after a
 * message. */
char *work_folder_make(void);

/* Removes a work folder and all that is in it, and frees its path. */
void work_folder_remove(char *path);

/* Removes a file, or a folder and all that is in it. */
void path_remove(const char *path);
