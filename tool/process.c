/* SPDX-License-Identifier: BSD-2-Clause */
/* Other programs, and the folder that they work in: see process.h. */
#include "tool/process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/leftover.h"
#include "tool/report.h"
#include "tool/unfinished.h"

bool program_exists(const char *name)
{
    const char *list = getenv("PATH");
    char *copy = text("%s", list ? list : "/usr/bin:/bin");
    bool found = false;

    for (char *rest = copy, *folder; !found && (folder = strsep(&rest, ":"));) {
        char *path = text("%s/%s", folder, name);
        found = access(path, X_OK) == 0;
        free(path);
    }
    free(copy);
    return found;
}

void process_reset_signals(void)
{
    static const int ignored[] = {SIGPIPE, SIGTTIN, SIGTTOU, SIGXFSZ};
    sigset_t none;

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const char *const argv[], const char *folder, const char *output)
{
    int in = open("/dev/null", O_RDONLY);
    int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    process_reset_signals();
    setpgid(0, 0); /* what it starts is ended with it */
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(127);
    if (folder && chdir(folder) != 0)
        _exit(127);
    closefrom(3); /* nothing of the tool's is for others; and mmdebstrap cannot do with much that is
                     open */
    execvp(argv[0], (char *const *)argv);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

pid_t process_start(const char *const argv[], const char *folder, const char *output)
{
    pid_t child = fork();

    if (child == 0)
        become(argv, folder, output);
    if (child > 0)
        setpgid(child, child); /* whoever of the two comes first */
    return child;
}

int process_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_run(const char *const argv[], const char *folder, const char *output)
{
    int status = 0;
    sigset_t awaited, before;

    unfinished_signals(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigprocmask(SIG_BLOCK, &awaited, &before);
    pid_t child = process_start(argv, folder, output), ended = child;
    while (child > 0 && (ended = waitpid(child, &status, WNOHANG)) == 0) {
        int number = sigwaitinfo(&awaited, NULL);
        if (number > 0 && number != SIGCHLD) {
            kill(-child, SIGTERM);
            waitpid(child, NULL, 0);
            unfinished_stop(number);
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ended < 0 ? 127 : process_code(status);
}

void print_tail(const char *path, unsigned lines)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    unsigned total = 0;

    if (!file)
        return;
    while (getline(&line, &size, file) >= 0)
        total++;
    rewind(file);
    for (unsigned i = 0; getline(&line, &size, file) >= 0; i++)
        if (i + lines >= total)
            fprintf(stderr, "    %s%s", line, strchr(line, '\n') ? "" : "\n");
    free(line);
    fclose(file);
}

char *work_folder_make(void)
{
    const char *base = getenv("TMPDIR");
    char *path = text("%s/lintel-XXXXXX", base && base[0] ? base : "/tmp");

    char *others = text("%s/lintel-??????", base && base[0] ? base : "/tmp");

    leftover_remove(others);
    free(others);
    unfinished_begin(path);
    if (mkdtemp(path)) {
        leftover_hold(path);
        return path;
    }
    unfinished_end();
    note("%s: %s; set TMPDIR to a folder that can be written", path, strerror(errno));
    free(path);
    return NULL;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    return remove(path);
}

void path_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void work_folder_remove(char *path)
{
    path_remove(path);
    unfinished_end();
    free(path);
}
