/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes: fork, exec, wait, pipes; and the 32-bit program beside this one. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests/linux/tap.h"

#define CHILDREN   20
#define ROUND_TRIP 200

static int wait_for(pid_t child)
{
    int status;

    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_fork(void)
{
    pid_t children[CHILDREN];
    bool good = true;

    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(i);
    }
    for (int i = 0; i < CHILDREN; i++)
        good = wait_for(children[i]) == i && good;
    ok(good, "twenty children end with their exit codes");
}

static void test_pipe(void)
{
    int there[2], back[2];
    bool good = pipe(there) == 0 && pipe(back) == 0;
    unsigned char byte;
    pid_t child = fork();

    if (child == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1) {
            byte ^= 0xff;
            if (write(back[1], &byte, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < ROUND_TRIP && good; i++) {
        unsigned char sent = (unsigned char)i;
        good =
            write(there[1], &sent, 1) == 1 && read(back[0], &byte, 1) == 1 && byte == (sent ^ 0xff);
    }
    close(there[1]);
    ok(good && wait_for(child) == 0, "two processes answer each other over pipes");
    close(there[0]);
    close(back[0]);
    close(back[1]);
}

static int run(const char *path, const char *argument)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        execl(path, path, argument, NULL);
        _exit(127);
    }
    return wait_for(child);
}

/* The programs of the same folder, whatever it is. */
static void test_exec(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 3);

    if (length < 0) {
        ok(false, "/proc is mounted");
        return;
    }
    strcpy(path + length, "32");
    ok(run(path, "exec") == 0, "a 32-bit program runs: SYSENTER, int 80h and signals");
}

void test_processes(void)
{
    test_fork();
    test_pipe();
    test_exec();
}
