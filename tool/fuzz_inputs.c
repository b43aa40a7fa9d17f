/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/fuzz_inputs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/process.h"
#include "tool/whole_file.h"

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

enum exit_code fuzz_inputs_open_folder(struct fuzz_inputs *in, const char *folder)
{
    *in = (struct fuzz_inputs){.folder = folder};
    in->count = scandir(folder, &in->entries, is_input, alphasort);
    if (in->count < 0)
        return fail(LINTEL_USAGE, "%s: %s; name a folder with an input in each file", folder,
                    strerror(errno));
    return LINTEL_OK;
}

enum exit_code fuzz_inputs_open_program(struct fuzz_inputs *in, const char *command)
{
    int ends[2];

    *in = (struct fuzz_inputs){0};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return fail(LINTEL_MACHINE, "%s: %s", command, strerror(errno));
    in->program = fork();
    if (in->program == 0) {
        process_reset_signals();
        dup2(ends[1], STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int error = errno;
    close(ends[1]);
    in->from = fdopen(ends[0], "rb");
    in->to = fdopen(dup(ends[0]), "wb");
    if (in->program > 0 && in->from && in->to)
        return LINTEL_OK;
    fuzz_inputs_close(in);
    return fail(LINTEL_MACHINE, "%s: %s", command, strerror(error));
}

static enum exit_code too_long(const struct fuzz_input *input, size_t room)
{
    return fail(LINTEL_USAGE,
                "input %s has %zu bytes, and the guest takes %zu at most; leave it out",
                input->name, input->size, room);
}

/* A folder in it is passed by. */
static enum exit_code next_file(struct fuzz_inputs *in, size_t room, struct fuzz_input *input)
{
    struct whole_file file = {0};

    while (in->at < in->count) {
        const char *name = in->entries[in->at++]->d_name;
        char *path = text("%s/%s", in->folder, name);
        bool good = whole_file_read(path, &file);
        int error = errno;
        free(path);
        if (!good && (error == EISDIR || error == NO_REGULAR_FILE))
            continue;
        if (!good)
            return fail(LINTEL_USAGE, "%s/%s: %s", in->folder, name, strerror(error));
        *input = (struct fuzz_input){text("%s", name), file.data, file.size};
        return file.size <= room ? LINTEL_OK : too_long(input, room);
    }
    return LINTEL_OK;
}

/* "SIZE\n" and the bytes; the end where one would begin. */
static enum exit_code next_of_program(struct fuzz_inputs *in, size_t room, struct fuzz_input *input)
{
    char line[24], *end;

    if (!fgets(line, sizeof(line), in->from))
        return LINTEL_OK;
    input->name = text("%d", ++in->at);
    errno = 0;
    input->size = strtoul(line, &end, 10);
    if (errno || end == line || *end != '\n' || line[0] < '0' || line[0] > '9')
        return fail(LINTEL_USAGE,
                    "--next: input %s does not begin with a line that has its size in bytes",
                    input->name);
    if (input->size > room)
        return too_long(input, room);
    input->bytes = malloc(input->size + 1);
    if (input->bytes && fread(input->bytes, 1, input->size, in->from) == input->size)
        return LINTEL_OK;
    return fail(LINTEL_USAGE, "--next: input %s ends before the %zu bytes that it shall have",
                input->name, input->size);
}

enum exit_code fuzz_inputs_next(struct fuzz_inputs *in, size_t room, struct fuzz_input *input)
{
    *input = (struct fuzz_input){0};
    return in->from ? next_of_program(in, room, input) : next_file(in, room, input);
}

void fuzz_input_free(struct fuzz_input *input)
{
    free(input->name);
    free(input->bytes);
}

void fuzz_inputs_tell(struct fuzz_inputs *in, const char *how)
{
    if (!in->to)
        return;
    fprintf(in->to, "%s\n", how);
    fflush(in->to);
}

void fuzz_inputs_close(struct fuzz_inputs *in)
{
    while (in->count > 0)
        free(in->entries[--in->count]);
    free(in->entries);
    if (in->to)
        fclose(in->to);
    if (in->from)
        fclose(in->from);
    if (in->program > 0)
        waitpid(in->program, NULL, 0);
}
