/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of the tool, one for each row of commands.def. */
#pragma once

#include <getopt.h>
#include <stdbool.h>

struct command {
    const char *name;
    const char *arguments; /* as --help shows them */
    const char *summary;
    const char *options; /* as --help shows them, a line each; "" for none */
    int (*run)(const struct command *self, int argc,
               char *argv[]); /* argv[0] is the name; returns an exit code */
};

/* Prints the help of one command. */
void command_usage(const struct command *self);

/* Says that the command line is wrong and where the help is. Returns LINTEL_USAGE. */
int command_misused(const struct command *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A number between `min` and `max` as an option's argument. On false, the user has been told so,
 * and LINTEL_USAGE is to be returned.
 */
bool command_number(const struct command *self, const char *option, const char *word,
                    unsigned long long min, unsigned long long max, unsigned long long *number);

/*
 * The next option, as getopt_long returns it; '?' after the user has been told what is wrong, and
 * LINTEL_USAGE is to be returned.
 */
int command_option(const struct command *self, int argc, char *argv[], const char *short_options,
                   const struct option *long_options);

/*
 * The words of a command that takes one (argv[optind] then; `give` says what it is) and --json
 * FILE, whose name or NULL goes to *json. Otherwise LINTEL_USAGE after a message.
 */
int command_with_json(const struct command *self, int argc, char *argv[], const char *give,
                      const char **json);

/* Declares command_NAME for each row. */
#define COMMAND(name, ...) int command_##name(const struct command *self, int argc, char *argv[]);
#include "tool/commands.def"
#undef COMMAND
