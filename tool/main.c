/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel, the command-line program: picks the command. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/command.h"
#include "tool/paths.h"
#include "tool/report.h"

static const struct command commands[] = {
#define COMMAND(name, arguments, summary, options)                                                 \
    {#name, arguments, summary, options, command_##name},
#include "tool/commands.def"
#undef COMMAND
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const char exit_codes[] =
    "Exit codes: 0 well, 1 a VM stopped for a fault or the hypervisor gave up, 2 wrong usage,\n"
    "3 wrong VM description, 4 this machine lacks something, 5 the run did not come to its end.\n";

/* What every help ends with: the exit codes, and where the manual is. */
static void print_end(FILE *to)
{
    char *path = built_path(BUILT_MANUAL), *whole = path ? realpath(path, NULL) : NULL;

    fprintf(to, "%s", exit_codes);
    if (whole)
        fprintf(to, "More: man -l %s\n", whole);
    free(whole);
    free(path);
}

void command_usage(const struct command *self)
{
    printf("Usage: lintel %s%s%s%s\n\n%s.\n", self->name, self->options[0] ? " [OPTION...]" : "",
           self->arguments[0] ? " " : "", self->arguments, self->summary);
    printf("\nOptions:\n%s  -h, --help            show this help\n\n", self->options);
    print_end(stdout);
}

int command_misused(const struct command *self, const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return fail(LINTEL_USAGE, "%s; see lintel %s --help", message, self->name);
}

bool command_number(const struct command *self, const char *option, const char *word,
                    unsigned long long min, unsigned long long max, unsigned long long *number)
{
    char *end;

    errno = 0;
    *number = strtoull(word, &end, 10);
    if (errno || end == word || *end || word[0] == '-' || *number < min || *number > max) {
        command_misused(self, "%s takes a number from %llu to %llu, not '%s'", option, min, max,
                        word);
        return false;
    }
    return true;
}

int command_option(const struct command *self, int argc, char *argv[], const char *short_options,
                   const struct option *long_options)
{
    opterr = 0;
    int option = getopt_long(argc, argv, short_options, long_options, NULL);
    if (option == '?')
        command_misused(self, "'%s' is no option, or lacks its argument", argv[optind - 1]);
    return option;
}

int command_with_json(const struct command *self, int argc, char *argv[], const char *give,
                      const char **json)
{
    static const struct option options[] = {{"json", required_argument, NULL, 'j'}, {0}};
    int option;

    *json = NULL;
    while ((option = command_option(self, argc, argv, "", options)) >= 0) {
        if (option != 'j')
            return LINTEL_USAGE;
        *json = optarg;
    }
    return optind == argc - 1 ? LINTEL_OK : command_misused(self, "%s", give);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

static void general_help(FILE *to)
{
    fprintf(to, "Usage: lintel COMMAND [ARGUMENT...]\n\nLintel, a type-1 hypervisor for Intel "
                "VT-x.\n\nCommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\nlintel COMMAND --help tells more; lintel --version prints the version.\n");
    print_end(to);
}

static bool wants_help(int argc, char *argv[])
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int command_test(const struct command *self, int argc, char *argv[])
{
    static const struct option no_options[] = {{0}};

    if (command_option(self, argc, argv, "", no_options) >= 0)
        return LINTEL_USAGE;
    return fail(LINTEL_MACHINE, "the tests need the source tree: run ./lintel test in it");
}

int command_bench(const struct command *self, int argc, char *argv[])
{
    if (argc > 3)
        return command_misused(self, "give at most one benchmark, and a CPU model");
    return fail(LINTEL_MACHINE, "the benchmarks need the source tree: run ./lintel bench in it");
}

int command_help(const struct command *self, int argc, char *argv[])
{
    const struct command *about = argc > 1 ? find(argv[1]) : NULL;

    if (argc > 2)
        return command_misused(self, "give at most one command");
    if (argc == 2 && !about)
        return command_misused(self, "no such command: %s", argv[1]);
    if (about)
        command_usage(about);
    else
        general_help(stdout);
    return LINTEL_OK;
}

/* What the rest takes for granted: the three standard files are open, a child's end is told, nobody
 * ends us by not reading what we say, and in the background of a terminal nothing stops us: who is
 * stopped cannot take the signal to end. */
static void prepare(void)
{
    int file;

    while ((file = open("/dev/null", O_RDWR)) >= 0 && file <= STDERR_FILENO) {
    }
    close(file);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is told, and is not left half-made */
}

static int run(int argc, char *argv[])
{
    if (argc < 2) {
        general_help(stderr);
        return LINTEL_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("lintel %s\n", LINTEL_VERSION);
        return LINTEL_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        general_help(stdout);
        return LINTEL_OK;
    }
    const struct command *command = find(argv[1]);
    if (!command)
        return fail(LINTEL_USAGE, "no such command: %s; see lintel --help", argv[1]);
    if (wants_help(argc - 1, argv + 1)) {
        command_usage(command);
        return LINTEL_OK;
    }
    return command->run(command, argc - 1, argv + 1);
}

int main(int argc, char *argv[])
{
    prepare();
    int code = run(argc, argv);
    if (fflush(stdout) != 0 && errno == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    if (ferror(stdout) && code == LINTEL_OK)
        return fail(LINTEL_MACHINE, "the output cannot be written: %s", strerror(errno));
    return code;
}
