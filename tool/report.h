/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tool tells its user: errors with an exit code, and progress that does not
 * litter a log. */
#pragma once

#include <stddef.h>

/* The exit codes of every command; docs/lintel.1 documents them. */
enum exit_code {
    LINTEL_OK = 0,
    LINTEL_FAULT = 1,       /* a VM was stopped for a fault, or the hypervisor gave up */
    LINTEL_USAGE = 2,       /* the command line is wrong */
    LINTEL_DESCRIPTION = 3, /* the VM description, or a file that it names, is wrong */
    LINTEL_MACHINE = 4,     /* this machine lacks a program, a package, memory or the network */
    LINTEL_UNFINISHED = 5,  /* the run was ended before the hypervisor said that it had ended */
};

/* Prints "lintel: MESSAGE" on stderr, below any progress line. Returns `code`, for `return
 * fail(...)`. */
int fail(enum exit_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Something wrong in a file, or, without `file`, elsewhere. */
struct complaint {
    const char *file;
    size_t line, column;
    const char *where; /* in the file's own terms, "vms[0].memory"; "": all of it */
    const char *message;
};

/* Prints "FILE:LINE:COLUMN: WHERE: MESSAGE" on stderr. */
void complain(const struct complaint *complaint);

/* From now on all that complain() and fail() say is told to this function, too. */
void complaints_tell(void (*tell)(const struct complaint *complaint));

/* Prints "lintel: MESSAGE" on stderr. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says what the tool is doing: on a terminal one line that the next call replaces, otherwise a
 * line. */
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Removes the progress line. */
void progress_end(void);

/* Like asprintf, but returns the string, and ends the program when memory is short. The caller
 * frees it. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
