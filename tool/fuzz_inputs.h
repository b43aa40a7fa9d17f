/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the inputs for a guest come from: the files of a folder, or a program that makes them. */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "tool/report.h"

struct fuzz_inputs {
    const char *folder; /* NULL: a program's, */
    struct dirent **entries;
    int count, at;
    FILE *from, *to; /* which says its inputs, and hears how they ended */
    pid_t program;
};

struct fuzz_input {
    char *name; /* NULL: there are no more */
    uint8_t *bytes;
    size_t size;
};

/* Its regular files, by name, but for those that begin with a dot. LINTEL_OK, with
 * fuzz_inputs_close to follow, or a code after a message. */
enum exit_code fuzz_inputs_open_folder(struct fuzz_inputs *in, const char *folder);

/* A shell's command, likewise. It writes a line with an input's size, then so many bytes, and reads
 * a line about how that ended, before the next one. The inputs are called 1, 2 and so on. */
enum exit_code fuzz_inputs_open_program(struct fuzz_inputs *in, const char *command);

/* The next one, of `room` bytes at most; fuzz_input_free must follow. Or a code after a message. */
enum exit_code fuzz_inputs_next(struct fuzz_inputs *in, size_t room, struct fuzz_input *input);
void fuzz_input_free(struct fuzz_input *input);

/* Tells who made it how the last one ended. */
void fuzz_inputs_tell(struct fuzz_inputs *in, const char *how);

void fuzz_inputs_close(struct fuzz_inputs *in);
