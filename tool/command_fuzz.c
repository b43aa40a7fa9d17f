/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel fuzz: a guest takes one input after the other, each time from the same state on. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/command.h"
#include "tool/control_line.h"
#include "tool/fuzz_inputs.h"
#include "tool/fuzz_vm.h"
#include "tool/json.h"
#include "tool/output_file.h"
#include "tool/unfinished.h"

#define LIMIT_MS     1000
#define LIMIT_MS_MAX 3600000

struct wish {
    const char *next; /* the program's command */
    const char *keep; /* a folder for inputs that were not done */
    const char *json;
    unsigned long long limit_ms;
};

struct loop {
    const struct wish *wish;
    struct fuzz_vm vm;
    struct fuzz_inputs inputs;
    FILE *json;
    unsigned count, bad;
};

static bool read_words(const struct command *self, int argc, char *argv[], struct wish *wish)
{
    static const struct option options[] = {{"next", required_argument, NULL, 'n'},
                                            {"keep", required_argument, NULL, 'k'},
                                            {"json", required_argument, NULL, 'j'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {0}};
    int option;

    while ((option = command_option(self, argc, argv, "", options)) >= 0)
        if (option == 'n')
            wish->next = optarg;
        else if (option == 'k')
            wish->keep = optarg;
        else if (option == 'j')
            wish->json = optarg;
        else if (option != 'l' ||
                 !command_number(self, "--limit", optarg, 1, LIMIT_MS_MAX, &wish->limit_ms))
            return false;
    if (optind == argc - (wish->next ? 2 : 3))
        return true;
    command_misused(self,
                    "give a run's socket, the name of a VM, and a folder with inputs or --next");
    return false;
}

/* "done 3", "fault: the guest stopped at ...". The caller frees it. */
static char *say(const struct loop *loop, const struct fuzz_verdict *verdict)
{
    const char *word = fuzz_vm_word(verdict->how);

    if (verdict->how == FUZZ_DONE)
        return text("%s %u", word, verdict->value);
    if (verdict->how == FUZZ_RUNS)
        return text("%s: it was not done with it after %llu ms (--limit)", word,
                    loop->wish->limit_ms);
    return text("%s: %s", word, verdict->why);
}

static void write_json(struct loop *loop, const char *name, const struct fuzz_verdict *verdict,
                       const char *how)
{
    fprintf(loop->json, "%s\n    {\"name\": ", loop->count > 0 ? "," : "");
    json_string(loop->json, name);
    fprintf(loop->json, ", \"end\": \"%s\"", fuzz_vm_word(verdict->how));
    if (verdict->how == FUZZ_DONE || verdict->how == FUZZ_EXIT)
        fprintf(loop->json, ", \"value\": %u", verdict->value);
    fputs(", \"message\": ", loop->json);
    json_string(loop->json, how);
    fputc('}', loop->json);
}

static enum exit_code keep(const struct loop *loop, const struct fuzz_input *input)
{
    if (!loop->wish->keep)
        return LINTEL_OK;
    char *path = text("%s/%s", loop->wish->keep, input->name);
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(input->bytes, 1, input->size, file) == input->size;
    if (file)
        good &= fclose(file) == 0;
    enum exit_code code = good ? LINTEL_OK : fail(LINTEL_MACHINE, "%s: %s", path, strerror(errno));
    free(path);
    return code;
}

static enum exit_code take(struct loop *loop, const struct fuzz_input *input)
{
    struct fuzz_verdict verdict;
    enum exit_code code = fuzz_vm_run(&loop->vm, input->bytes, input->size, &verdict);

    if (code != LINTEL_OK)
        return code;
    char *how = say(loop, &verdict);
    printf("%s: %s\n", input->name, how);
    fflush(stdout);
    if (loop->json)
        write_json(loop, input->name, &verdict, how);
    fuzz_inputs_tell(&loop->inputs, how);
    free(how);
    loop->count++;
    if (verdict.how == FUZZ_DONE)
        return LINTEL_OK;
    loop->bad++;
    return keep(loop, input);
}

/* Until there are no more inputs, a signal has come, or something is wrong. */
static enum exit_code take_all(struct loop *loop)
{
    struct fuzz_input input = {0};
    enum exit_code code;

    do {
        code = fuzz_inputs_next(&loop->inputs, loop->vm.room, &input);
        bool more = input.name;
        if (code == LINTEL_OK && more)
            code = take(loop, &input);
        fuzz_input_free(&input);
        if (!more)
            break;
    } while (code == LINTEL_OK);
    return code;
}

/* The VM is left as it was when it was ready, whatever has come between. */
static enum exit_code fuzz(struct loop *loop)
{
    enum exit_code code = fuzz_vm_begin(&loop->vm);

    if (code != LINTEL_OK)
        return code;
    code = take_all(loop);
    enum exit_code ended = code != LINTEL_MACHINE ? fuzz_vm_end(&loop->vm) : code;
    code = code == LINTEL_OK ? ended : code;
    printf("%u inputs: %u were done, %u were not\n", loop->count, loop->count - loop->bad,
           loop->bad);
    return code == LINTEL_OK && loop->bad > 0 ? LINTEL_FAULT : code;
}

static enum exit_code open_inputs(struct loop *loop, const char *folder)
{
    const struct wish *wish = loop->wish;

    if (wish->keep && mkdir(wish->keep, 0777) != 0 && errno != EEXIST)
        return fail(LINTEL_MACHINE, "%s: %s; name a folder for inputs that can be made", wish->keep,
                    strerror(errno));
    return wish->next ? fuzz_inputs_open_program(&loop->inputs, wish->next)
                      : fuzz_inputs_open_folder(&loop->inputs, folder);
}

static enum exit_code fuzz_by(struct loop *loop, const char *path, const char *folder)
{
    struct control_hello hello;
    struct control_line line;
    struct control_vm is;
    enum exit_code code = control_line_open(&line, path, &hello);

    if (code != LINTEL_OK)
        return code;
    loop->vm.line = &line;
    loop->vm.limit = loop->wish->limit_ms * hello.tsc_khz;
    code = control_line_find(&line, &hello, loop->vm.name, &loop->vm.vm, &is);
    if (code == LINTEL_OK)
        code = open_inputs(loop, folder);
    if (code == LINTEL_OK) {
        code = fuzz(loop);
        fuzz_inputs_close(&loop->inputs);
    }
    control_line_close(&line);
    return code;
}

int command_fuzz(const struct command *self, int argc, char *argv[])
{
    struct wish wish = {.limit_ms = LIMIT_MS};
    sigset_t signals, before;

    if (!read_words(self, argc, argv, &wish))
        return LINTEL_USAGE;
    struct loop loop = {.wish = &wish, .vm = {.name = argv[optind + 1]}};
    int code = output_open(wish.json, &loop.json);
    if (code != LINTEL_OK)
        return code;
    unfinished_signals(&signals); /* they wait until the VM is left as it was */
    sigprocmask(SIG_BLOCK, &signals, &before);
    if (loop.json) {
        json_begin(loop.json, "fuzz");
        fputs("\"vm\": ", loop.json);
        json_string(loop.json, loop.vm.name);
        fputs(",\n  \"inputs\": [", loop.json);
    }
    code = fuzz_by(&loop, argv[optind], argv[optind + 2]);
    if (loop.json)
        fprintf(loop.json, "\n  ],\n  \"code\": %d\n}\n", code);
    code = output_close(loop.json, wish.json, code);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return code;
}
